// @ts-check
/** The line under a delayed answer: the reason for the wait, and how long it has lasted. */

import { announce } from "../page/announcer.js";

export class WaitNote {
  #line;
  #tick = 0;
  #note = "";
  /** The note last announced. */
  #announced = "";

  /** @param {Element | null} line */
  constructor(line) {
    this.#line = line;
  }

  get isOn() {
    return this.#note !== "";
  }

  /** Count the seconds; only a new note is announced.
   * @param {string} note @param {string} since ISO 8601 */
  begin(note, since) {
    const isNew = note !== this.#announced;
    this.end();
    this.#note = note;
    const began = Date.parse(since);
    const count = () => this.#write(`${note} · ${elapsed(Date.now() - began)}`);
    this.#tick = setInterval(count, 1000);
    count();
    if (isNew) announce(note);
    this.#announced = note;
  }

  end() {
    clearInterval(this.#tick);
    this.#note = "";
  }

  /** @param {string} text */
  #write(text) {
    if (this.#line) this.#line.textContent = text;
  }
}

/** A duration as minutes and seconds. @param {number} milliseconds */
function elapsed(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000)) || 0;
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
