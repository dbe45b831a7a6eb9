// @ts-check
/**
 * The dialogs: one opens when HTMX puts something into it, and empties when it closes. A question
 * may lie above the other one. Where the focus goes when what opened it is gone, is seen to here.
 * What was written into one and not saved is asked for before it closes.
 */

import { History } from "../lists/chat_list.js";
import { Picker } from "./model_picker.js";
import { writeHere } from "../compose/field.js";

const UNSAVED = "Unsaved changes. Close again to discard them.";

export function startDialogs() {
  const dialogs = [...document.querySelectorAll("dialog")];
  dialogs.forEach(start);
  document.body.addEventListener("htmx:afterSwap", (event) => {
    const { target } = /** @type {CustomEvent} */ (event).detail;
    const dialog = dialogs.find((found) => found === target);
    if (dialog) show(dialog);
    const form = /** @type {Element} */ (event.target);
    /** @type {HTMLElement | null} */ (form.querySelector("[aria-invalid]"))?.focus();
  });
  document.body.addEventListener("dialog-done", () => dialogs.forEach((dialog) => dialog.close()));
  // a title is written anew more often than mended
  document.body.addEventListener("focusin", ({ target }) => {
    const field = /** @type {HTMLInputElement} */ (target);
    if (field.matches("[data-select]")) field.select();
  });
  // what was saved is no more what stands there
  document.body.addEventListener("input", (event) => {
    const form = /** @type {Element} */ (event.target).closest("form");
    form?.querySelector(".said")?.replaceChildren();
  });
  addEventListener("beforeunload", (event) => {
    if (unsaved(document)) event.preventDefault();
  });
}

/** A form of settings with something in it that its row has not. @param {ParentNode} within */
function unsaved(within) {
  return [...within.querySelectorAll("form")].find((form) => form.querySelector(".said") && isChanged(form));
}

/** It says so where something would be lost, once. @param {HTMLDialogElement} dialog */
function mayClose(dialog) {
  const form = unsaved(dialog);
  const said = form?.querySelector(".said");
  if (!form || !said || said.textContent === UNSAVED) return true;
  said.textContent = UNSAVED;
  form.querySelector(".save")?.scrollIntoView({ block: "nearest" });
  return false;
}

/** @param {HTMLFormElement} form */
function isChanged(form) {
  const written = form.querySelectorAll("textarea, input:not([type=hidden])");
  const fields = [.../** @type {NodeListOf<HTMLInputElement>} */ (written)];
  return fields.some(({ value, defaultValue }) => value !== defaultValue);
}

/** @param {HTMLDialogElement} dialog */
function start(dialog) {
  dialog.addEventListener("close", () => {
    dialog.replaceChildren();
    if (document.activeElement !== document.body) return;
    // what opened it is gone
    const above = /** @type {HTMLElement | null} */ (document.querySelector("dialog[open] #find"));
    if (above) above.focus();
    else if (!writeHere()) /** @type {HTMLElement | null} */ (document.querySelector("#new-chat"))?.focus();
  });
  dialog.addEventListener("cancel", (event) => mayClose(dialog) || event.preventDefault());
  let pressed = /** @type {EventTarget | null} */ (null);
  dialog.addEventListener("pointerdown", ({ target }) => (pressed = target));
  dialog.addEventListener("click", (event) => {
    const target = /** @type {Element} */ (event.target);
    // beside the dialog from its beginning, unless something may have been written in it
    const isBeside = target === dialog && pressed === dialog && !dialog.querySelector("textarea, .rename");
    if (isBeside || target.closest("[data-close]")) {
      event.preventDefault();
      if (mayClose(dialog)) dialog.close();
    }
  });
}

/** @param {HTMLDialogElement} dialog */
function show(dialog) {
  const picker = /** @type {HTMLFormElement | null} */ (dialog.querySelector(".picker"));
  if (picker) new Picker(picker);
  const history = /** @type {HTMLElement | null} */ (dialog.querySelector("#history"));
  if (history) new History(history);
  for (const key of isMac() ? dialog.querySelectorAll("[data-ctrl]") : []) key.textContent = "⌘";
  if (!dialog.open && dialog.childElementCount) dialog.showModal();
}

function isMac() {
  return /mac|iphone|ipad/i.test(navigator.platform);
}
