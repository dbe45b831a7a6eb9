// @ts-check
/** The line under an answer for which the page waits: for what, and for how long by now. */

import { tell } from "../page/announcer.js";

export class Waiting {
  #line;
  #tick = 0;
  #note = "";
  /** What was read aloud. */
  #said = "";

  /** @param {Element | null} line */
  constructor(line) {
    this.#line = line;
  }

  get isOn() {
    return this.#note !== "";
  }

  /** Each second counts on; only another note is read aloud.
   * @param {string} note @param {string} since ISO 8601 */
  begin(note, since) {
    const isNew = note !== this.#said;
    this.end();
    this.#note = note;
    const began = Date.parse(since);
    const count = () => this.#write(`${note} · ${elapsed(Date.now() - began)}`);
    this.#tick = setInterval(count, 1000);
    count();
    if (isNew) tell(note);
    this.#said = note;
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

/** As a clock shows it. @param {number} milliseconds */
function elapsed(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000)) || 0;
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
