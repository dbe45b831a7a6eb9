// @ts-check
/**
 * The keys of `templates/chat/dialogs/shortcuts.html`. They do not interfere with typing: all but `?` need
 * a modifier or are Escape, and `?` works only outside text fields.
 */

import { toggleSidebar } from "../lists/sidebar.js";

const WRITABLE = "input, textarea, select, [contenteditable]";

export function startShortcuts() {
  addEventListener("keydown", (event) => {
    if (event.isComposing || event.defaultPrevented || event.altKey) return;
    if (handle(event)) event.preventDefault();
  });
}

/** @param {KeyboardEvent} event @returns {boolean} whether the event was handled */
function handle(event) {
  const { key, shiftKey } = event;
  const isCommand = event.ctrlKey || event.metaKey;
  if (key === "Escape") return shiftKey ? focusMessage() : isQuiet(event) && click("#stop:not([hidden])");
  if (key === "?" && !isCommand) return isQuiet(event) && !isWriting(event) && click("#to-shortcuts");
  if (!isCommand) return false;
  if (key === "/") return click("#to-shortcuts");
  if (key.toLowerCase() === "k" && !shiftKey) return search();
  if (key.toLowerCase() === "o" && shiftKey) return click("#new-chat");
  if (key.toLowerCase() === "s" && shiftKey) return toggleSidebar();
  return false;
}

/** Whether nothing is open that Escape would close, and no other field has the focus.
 * @param {KeyboardEvent} event */
function isQuiet({ target }) {
  const element = /** @type {Element} */ (target);
  const isElsewhere = isWriting({ target }) && element.id !== "text";
  return !isElsewhere && !document.querySelector("dialog[open], :popover-open");
}

/** @param {{target: EventTarget | null}} event */
function isWriting({ target }) {
  return target instanceof Element && target.matches(WRITABLE);
}

function focusMessage() {
  if (document.querySelector("dialog[open]")) return false;
  /** @type {HTMLElement | null} */ (document.querySelector("#text"))?.focus();
  return true;
}

function search() {
  const field = /** @type {HTMLElement | null} */ (document.querySelector("#find"));
  if (field) field.focus();
  else if (!document.querySelector("dialog[open]")) click("#search-chats");
  return true;
}

/** @param {string} selector */
function click(selector) {
  if (document.querySelector("dialog[open]")) return true;
  const found = /** @type {HTMLElement | null} */ (document.querySelector(selector));
  found?.click();
  return found !== null;
}
