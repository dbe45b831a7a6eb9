// @ts-check
/** The composer: Enter sends, Shift+Enter starts a new line. */

import { CommandMenu } from "./command_menu.js";
import { draftOf, keepDraft } from "./drafts.js";
import { grow, isComposing, isSend, textOf, tooLong } from "./field.js";

/**
 * @typedef {object} Callbacks
 * @property {(text: string) => void} onSubmit
 * @property {() => boolean} onStop false: not connected
 * @property {() => void} onUp arrow key in an empty field: edit the last message
 */

export class Composer {
  #form = /** @type {HTMLFormElement} */ (document.querySelector("#composer"));
  #text = /** @type {HTMLTextAreaElement} */ (document.querySelector("#text"));
  #send = /** @type {HTMLButtonElement} */ (document.querySelector("#send"));
  #stop = /** @type {HTMLButtonElement} */ (document.querySelector("#stop"));
  #complaint = /** @type {HTMLElement} */ (document.querySelector("#complaint"));
  #callbacks;
  #session;
  #isBusy = false;

  /** @param {() => string | null} session @param {Callbacks} callbacks */
  constructor(session, callbacks) {
    this.#session = session;
    this.#callbacks = callbacks;
    this.#form.addEventListener("submit", (event) => this.#onSubmit(event));
    this.#text.addEventListener("keydown", (event) => this.#onKey(event));
    this.#text.addEventListener("input", () => this.#onInput());
    this.#stop.addEventListener("click", () => this.#onStop());
    new CommandMenu(this.#text, (text, isWhole) => {
      this.setText(text);
      if (isWhole) this.#form.requestSubmit();
    });
    // Browsers restore the field after a reload; the draft is newer.
    this.setText(draftOf(session()) || this.#text.value);
  }

  /** Whether an answer is being written or about to be. @param {boolean} isBusy */
  set isBusy(isBusy) {
    if (isBusy !== this.#isBusy) this.reset();
    this.#isBusy = isBusy;
    this.#showButtons();
  }

  get isEmpty() {
    return !this.#text.value.trim();
  }

  /** Whether nobody is typing on the page, so that the focus may move. */
  get isIdle() {
    const { activeElement } = document;
    return activeElement === document.body || (activeElement === this.#text && this.isEmpty);
  }

  /** @param {string} text */
  setText(text) {
    this.#text.value = text;
    this.#onInput();
  }

  /** Put a text back for editing, before the current one. @param {string | null} text */
  restore(text) {
    if (text) this.setText(this.isEmpty ? text : `${text}\n\n${this.#text.value}`);
    this.focus();
  }

  /** Move the draft to the conversation that has just begun. */
  moveDraft() {
    keepDraft(null, "");
    keepDraft(this.#session(), this.#text.value);
  }

  focus() {
    this.#text.focus();
  }

  /** @param {string} text shown until something is typed */
  complain(text) {
    this.#complaint.textContent = text;
  }

  /** Remove a complaint that no longer holds. @param {string} text */
  clearComplaint(text) {
    if (this.#complaint.textContent === text) this.complain("");
  }

  /** Enable Stop again: the answer or the connection is a new one. */
  reset() {
    this.#stop.disabled = false;
  }

  /** Make the composer read-only; its text can still be copied. */
  close() {
    this.#text.readOnly = this.#send.disabled = true;
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (this.#text.readOnly) return;
    if (event.key === "ArrowUp" && !this.#text.value && !isComposing(event)) this.#callbacks.onUp();
    else if (isSend(event)) this.#form.requestSubmit();
    else return;
    event.preventDefault();
  }

  /** @param {Event} event */
  #onSubmit(event) {
    event.preventDefault();
    const text = textOf(this.#text);
    if (!text.trim() || this.#text.readOnly) return;
    const complaint = tooLong(text);
    this.#complaint.textContent = complaint;
    if (complaint) return;
    this.setText("");
    this.#callbacks.onSubmit(text);
  }

  #onStop() {
    this.focus();
    this.#stop.disabled = this.#callbacks.onStop();
  }

  #onInput() {
    keepDraft(this.#session(), this.#text.value);
    this.#complaint.textContent = "";
    this.#showButtons();
    grow(this.#text);
  }

  #showButtons() {
    this.#stop.hidden = !this.#isBusy;
    this.#send.hidden = this.#isBusy && this.isEmpty;
    this.#send.setAttribute("aria-disabled", String(this.isEmpty)); // stays reachable by keyboard
  }
}
