// @ts-check
/** Where a message is written: Enter sends, Shift+Enter makes a line. */

import { CommandMenu } from "./command_menu.js";
import { draftOf, keepDraft } from "./drafts.js";
import { grow, isComposing, isSend, textOf, tooLong } from "./field.js";

/**
 * @typedef {object} Wishes
 * @property {(text: string) => void} onSubmit
 * @property {() => boolean} onStop false: nobody hears it
 * @property {() => void} onUp from an empty field: to what was said last
 */

export class Composer {
  #form = /** @type {HTMLFormElement} */ (document.querySelector("#composer"));
  #text = /** @type {HTMLTextAreaElement} */ (document.querySelector("#text"));
  #send = /** @type {HTMLButtonElement} */ (document.querySelector("#send"));
  #stop = /** @type {HTMLButtonElement} */ (document.querySelector("#stop"));
  #complaint = /** @type {HTMLElement} */ (document.querySelector("#complaint"));
  #wishes;
  #session;
  #isBusy = false;

  /** @param {() => string | null} session @param {Wishes} wishes */
  constructor(session, wishes) {
    this.#session = session;
    this.#wishes = wishes;
    this.#form.addEventListener("submit", (event) => this.#submit(event));
    this.#text.addEventListener("keydown", (event) => this.#pressed(event));
    this.#text.addEventListener("input", () => this.#changed());
    this.#stop.addEventListener("click", () => this.#stopped());
    new CommandMenu(this.#text, (text, isWhole) => {
      this.write(text);
      if (isWhole) this.#form.requestSubmit();
    });
    // A browser fills the field again by itself after a reload; the draft is newer.
    this.write(draftOf(session()) || this.#text.value);
  }

  /** An answer is being written, or is about to be. @param {boolean} isBusy */
  set isBusy(isBusy) {
    if (isBusy !== this.#isBusy) this.reset();
    this.#isBusy = isBusy;
    this.#showButtons();
  }

  get isEmpty() {
    return !this.#text.value.trim();
  }

  /** Nobody is writing, here or elsewhere on the page: the focus may be moved. */
  get isIdle() {
    const { activeElement } = document;
    return activeElement === document.body || (activeElement === this.#text && this.isEmpty);
  }

  /** @param {string} text */
  write(text) {
    this.#text.value = text;
    this.#changed();
  }

  /** Put a text that was not answered back where it can be changed. @param {string | null} text */
  giveBack(text) {
    if (text) this.write(this.isEmpty ? text : `${text}\n\n${this.#text.value}`);
    this.focus();
  }

  /** What is being written here belongs to the conversation that began a moment ago. */
  moved() {
    keepDraft(null, "");
    keepDraft(this.#session(), this.#text.value);
  }

  focus() {
    this.#text.focus();
  }

  /** @param {string} text what is wrong, until something is written */
  complain(text) {
    this.#complaint.textContent = text;
  }

  /** @param {string} text what is not wrong any more */
  retract(text) {
    if (this.#complaint.textContent === text) this.complain("");
  }

  /** There is another answer to stop, or another connection: the old one may not have heard it. */
  reset() {
    this.#stop.disabled = false;
  }

  /** Nothing can be said here any more; what is written can be copied. */
  close() {
    this.#text.readOnly = this.#send.disabled = true;
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    if (this.#text.readOnly) return;
    if (event.key === "ArrowUp" && !this.#text.value && !isComposing(event)) this.#wishes.onUp();
    else if (isSend(event)) this.#form.requestSubmit();
    else return;
    event.preventDefault();
  }

  /** @param {Event} event */
  #submit(event) {
    event.preventDefault();
    const text = textOf(this.#text);
    if (!text.trim() || this.#text.readOnly) return;
    const complaint = tooLong(text);
    this.#complaint.textContent = complaint;
    if (complaint) return;
    this.write("");
    this.#wishes.onSubmit(text);
  }

  #stopped() {
    this.focus();
    this.#stop.disabled = this.#wishes.onStop();
  }

  #changed() {
    keepDraft(this.#session(), this.#text.value);
    this.#complaint.textContent = "";
    this.#showButtons();
    grow(this.#text);
  }

  #showButtons() {
    this.#stop.hidden = !this.#isBusy;
    this.#send.hidden = this.#isBusy && this.isEmpty;
    this.#send.setAttribute("aria-disabled", String(this.isEmpty)); // a key still reaches it
  }
}
