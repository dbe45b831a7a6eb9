// @ts-check
/**
 * The dialogs: each opens when HTMX fills it and empties when it closes. A question opens above the
 * other one. Also handled here: where the focus goes if the opener is gone, and unsaved changes.
 */

import { focusComposer } from "../compose/field.js";
import { ChatList } from "../lists/chat_list.js";
import { ModelPicker } from "./model_picker.js";

const UNSAVED = "Unsaved changes. Close again to discard.";

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
  // a title is more often replaced than corrected
  document.body.addEventListener("focusin", ({ target }) => {
    const field = /** @type {HTMLInputElement} */ (target);
    if (field.matches("[data-select]")) field.select();
  });
  // "Saved" no longer holds
  document.body.addEventListener("input", (event) => {
    const form = /** @type {Element} */ (event.target).closest("form");
    form?.querySelector(".said")?.replaceChildren();
  });
  addEventListener("beforeunload", (event) => {
    if (unsavedForm(document)) event.preventDefault();
  });
}

/** A settings form with unsaved changes. @param {ParentNode} within */
function unsavedForm(within) {
  return [...within.querySelectorAll("form")].find((form) => form.querySelector(".said") && isChanged(form));
}

/** Whether a dialog may close; warns of unsaved changes the first time. @param {HTMLDialogElement} dialog */
function mayClose(dialog) {
  const form = unsavedForm(dialog);
  const status = form?.querySelector(".said");
  if (!form || !status || status.textContent === UNSAVED) return true;
  status.textContent = UNSAVED;
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
    // its opener is gone
    const above = /** @type {HTMLElement | null} */ (document.querySelector("dialog[open] #find"));
    if (above) above.focus();
    else if (!focusComposer()) /** @type {HTMLElement | null} */ (document.querySelector("#new-chat"))?.focus();
  });
  dialog.addEventListener("cancel", (event) => mayClose(dialog) || event.preventDefault());
  let pressed = /** @type {EventTarget | null} */ (null);
  dialog.addEventListener("pointerdown", ({ target }) => (pressed = target));
  dialog.addEventListener("click", (event) => {
    const target = /** @type {Element} */ (event.target);
    // pressed and released outside, unless the dialog has fields to lose
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
  if (picker) new ModelPicker(picker);
  const list = /** @type {HTMLElement | null} */ (dialog.querySelector("#history"));
  if (list) new ChatList(list);
  for (const key of isMac() ? dialog.querySelectorAll("[data-ctrl]") : []) key.textContent = "⌘";
  if (!dialog.open && dialog.childElementCount) dialog.showModal();
}

function isMac() {
  return /mac|iphone|ipad/i.test(navigator.platform);
}
