// @ts-check
/** Edits a message in place; sending creates a new version of it. */

import { draw } from "../page/drawing.js";
import { NOT_CONNECTED } from "../wire/connection.js";
import { newId } from "../wire/outbox.js";
import { grow, isComposing, isSend, textOf, tooLong } from "./field.js";

/** @typedef {(action: object) => boolean} Send false: not connected */

const UNSENT = "Not sent yet. Press Escape again to discard your changes.";

export class Editors {
  #root;
  #send;

  /** @param {HTMLElement} root @param {Send} send */
  constructor(root, send) {
    this.#root = root;
    this.#send = send;
    root.addEventListener("submit", (event) => {
      const form = editorOf(event.target);
      if (!form) return;
      event.preventDefault();
      this.#onSubmit(form);
    });
    root.addEventListener("keydown", (event) => this.#onKey(event));
    root.addEventListener("input", ({ target }) => {
      const form = editorOf(target);
      if (form) grow(field(form));
    });
    root.addEventListener("click", ({ target }) => {
      if (/** @type {Element} */ (target).closest("[data-cancel]")) close(editorOf(target));
    });
  }

  /** @param {HTMLElement} message */
  open(message) {
    let form = /** @type {HTMLFormElement | null} */ (message.querySelector(".editor"));
    const bubble = message.querySelector(".bubble");
    if (!form) {
      form = /** @type {HTMLFormElement} */ (draw("#new-editor"));
      field(form).value = field(form).defaultValue = bubble?.textContent ?? "";
      bubble?.after(form);
      message.dataset.editing = "";
      grow(field(form));
    }
    field(form).focus();
    field(form).setSelectionRange(-1, -1);
    form.scrollIntoView({ block: "nearest" });
  }

  /** The message that this edit replaces. @param {string | undefined} clientId */
  messageOf(clientId) {
    const message = this.#sentForm(clientId)?.closest(".message");
    return /** @type {HTMLElement | null | undefined} */ (message);
  }

  /** Show why an edit was refused. False: it was not an edit.
   * @param {string | undefined} clientId @param {string} reason */
  refuse(clientId, reason) {
    const form = this.#sentForm(clientId);
    if (form) complain(form, reason);
    return form !== null;
  }

  /** The connection is new: a sent edit may not have arrived. */
  reset() {
    for (const form of this.#root.querySelectorAll(".editor")) hold(/** @type {HTMLFormElement} */ (form), false);
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const form = editorOf(event.target);
    if (!form || event.target !== field(form)) return;
    if (event.key === "Escape" && !isComposing(event)) leave(form);
    if (!isSend(event)) return;
    event.preventDefault();
    form.requestSubmit();
  }

  /** @param {HTMLFormElement} form */
  #onSubmit(form) {
    const text = textOf(field(form));
    const message = /** @type {HTMLElement | null} */ (form.closest(".message"));
    const complaint = text.trim() ? tooLong(text) : "A message can't be empty.";
    if (complaint) return complain(form, complaint);
    const client_id = newId();
    form.dataset.clientId = client_id;
    hold(form, true);
    const action = { action: "edit", message_id: message?.dataset.id, text, client_id };
    if (!this.#send(action)) complain(form, NOT_CONNECTED);
  }

  /** @param {string | undefined} clientId @returns {HTMLFormElement | null} */
  #sentForm(clientId) {
    return clientId ? this.#root.querySelector(`.editor[data-client-id="${CSS.escape(clientId)}"]`) : null;
  }
}

/** @param {EventTarget | null} target @returns {HTMLFormElement | null} */
function editorOf(target) {
  return /** @type {Element} */ (target).closest(".editor");
}

/** @param {HTMLFormElement} form @returns {HTMLTextAreaElement} */
function field(form) {
  return /** @type {HTMLTextAreaElement} */ (form.querySelector("textarea"));
}

/** Close the editor; changes are discarded only the second time. @param {HTMLFormElement} form */
function leave(form) {
  const { value, defaultValue } = field(form);
  const isAsked = form.querySelector(".complaint")?.textContent === UNSENT;
  if (value === defaultValue || isAsked) close(form);
  else complain(form, UNSENT);
}

/** @param {HTMLFormElement | null} form */
function close(form) {
  const message = /** @type {HTMLElement | null} */ (form?.closest(".message") ?? null);
  form?.remove();
  delete message?.dataset.editing;
  /** @type {HTMLElement | null | undefined} */ (message?.querySelector('[data-do="edit"]'))?.focus();
}

/** @param {HTMLFormElement} form @param {string} text why it was not sent */
function complain(form, text) {
  hold(form, false);
  const complaint = form.querySelector(".complaint");
  if (complaint) complaint.textContent = text;
  field(form).focus();
}

/** @param {HTMLFormElement} form @param {boolean} isHeld while it is being sent */
function hold(form, isHeld) {
  field(form).readOnly = isHeld;
  for (const button of form.querySelectorAll("button")) button.disabled = isHeld;
  if (isHeld) form.querySelector(".complaint")?.replaceChildren();
}
