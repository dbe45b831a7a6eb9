// @ts-check
/**
 * The answer that is being written: reasoning, finished blocks, the text that no block covers yet,
 * tool calls where they were made.
 *
 * Its text only grows. Lengths are in code points, as the protocol counts.
 */

import { drawCall, plainly, running, setResult, showCut } from "../calls/card.js";
import { addButtons } from "./code.js";
import { draw } from "../page/drawing.js";
import { parsed } from "./renderings.js";
import { Waiting } from "./wait.js";
import { Writing } from "./block.js";

/**
 * @typedef {import("../wire/frames.js").Call} Call
 * @typedef {object} Stretch text between two calls
 * @property {number} begin in the answer's text
 * @property {number} index the same, as an index of it
 * @property {HTMLElement} element
 * @property {Writing} writing
 */

/** Who reads the end of the reasoning goes on reading there. */
const NEAR = 30;
/** @type {Record<string, string>} */
const PROGRESS = {
  thinking: "Thinking…",
  responding: "Writing…",
  tool_calling: "Using a tool…",
  waiting_approval: "Waiting for your approval…",
};

export class Answer {
  #body;
  #progress;
  #waiting;
  /** Folded, above the answer, hidden while there is none. @type {HTMLDetailsElement | null} */
  #reasoning;
  #text = "";
  /** Of the text. */
  #length = 0;
  /** What came and is not on the page yet. */
  #pending = "";
  #thoughts = "";
  #frame = 0;
  /** How much of the text blocks cover, in code points and as an index of it. */
  #covered = { length: 0, index: 0 };
  /** @type {Stretch[]} */
  #stretches = [];
  #isStretchOver = true;
  /** Each finished block's element. @type {HTMLElement[]} */
  #blocks = [];

  /** @param {HTMLElement} element drawn from the template of an unfinished answer, or by the server */
  constructor(element) {
    this.element = element;
    element.hidden = false;
    element.dataset.status = "running";
    this.#body = /** @type {HTMLElement} */ (element.querySelector(".body"));
    this.#progress = element.querySelector(".progress span");
    this.#reasoning = element.querySelector(".reasoning");
    this.#waiting = new Waiting(this.#progress);
  }

  get id() {
    return this.element.dataset.id;
  }

  // --- what comes, piece by piece -------------------------------------------------------------

  /** Shown with the next picture of the screen: many pieces come between two. @param {string} text */
  append(text) {
    this.#hear();
    this.#pending += text;
    this.#soon();
  }

  /** @param {string} content likewise */
  reason(content) {
    this.#hear();
    this.#thoughts += content;
    this.#soon();
  }

  #soon() {
    this.#frame ||= requestAnimationFrame(() => this.flush());
  }

  /** Put on the page what waits for it. */
  flush() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    const [text, thoughts] = [this.#pending, this.#thoughts];
    this.#pending = this.#thoughts = "";
    this.#think(thoughts);
    if (text) this.#write(text);
  }

  /** A finished block, the server's rendering, takes its text's place.
   * @param {{index: number, html: string, end: number}} block */
  block({ index, html, end }) {
    this.flush();
    const element = /** @type {HTMLElement | null} */ (parsed(html).firstElementChild);
    const stretch = this.#stretches.findLast(({ begin }) => begin < end);
    if (!element || !stretch || end > this.#length || index > this.#blocks.length) return;
    if (index < this.#blocks.length) {
      if (element.isEqualNode(this.#blocks[index])) return;
      this.#blocks[index].replaceWith(element);
    } else {
      this.#cover(end);
      const following = this.#stretches[this.#stretches.indexOf(stretch) + 1];
      stretch.writing.begin(this.#text.slice(this.#covered.index, following?.index));
      if (stretch.writing.element) stretch.writing.element.before(element);
      else stretch.element.append(element);
    }
    this.#blocks[index] = element;
  }

  /** @param {Call} call */
  call(call) {
    this.#hear();
    this.flush();
    this.#isStretchOver = true;
    this.#body.append(drawCall(call, this.id ?? ""));
    this.#showProgress();
  }

  /** @param {{call_id: string, content: string, is_error: boolean, truncated?: boolean}} data */
  result({ call_id, content, is_error, truncated }) {
    this.#hear();
    const card = this.#card(call_id);
    if (card) setResult(card, content, is_error);
    if (card && truncated) showCut(card, this.id ?? "");
    this.#showProgress();
  }

  /** @param {string} content */
  #think(content) {
    const thoughts = this.#reasoning?.querySelector("div");
    if (!this.#reasoning || !thoughts || !content) return;
    const { scrollHeight, scrollTop, clientHeight } = thoughts;
    thoughts.append(content);
    if (scrollHeight - scrollTop - clientHeight < NEAR) thoughts.scrollTop = thoughts.scrollHeight;
    this.#reasoning.hidden = false;
  }

  /** @param {string} status @param {string} [note] about a wait @param {string} [since] */
  progress(status, note = "", since = "") {
    this.#hear();
    this.element.dataset.progress = status;
    this.#showProgress();
    if (!note) return;
    this.element.dataset.waits = "";
    this.#waiting.begin(note, since);
  }

  /** Something comes: no wait lasts. */
  #hear() {
    if (!this.#waiting.isOn) return;
    this.#waiting.end();
    delete this.element.dataset.waits;
    this.#showProgress();
  }

  /** It failed. The server's rendering, which looks the same, follows.
   * @param {string} content @param {string} [details] */
  fail(content, details = "") {
    this.end();
    const outcome = draw("#new-outcome");
    const said = /** @type {HTMLElement} */ (outcome.querySelector(".note"));
    said.textContent = content;
    const [cause, text] = [outcome.querySelector(".cause"), outcome.querySelector("pre")];
    if (text) text.textContent = plainly(details);
    if (details) addButtons(outcome);
    else cause?.remove();
    this.#progress?.parentElement?.replaceWith(outcome);
  }

  /** Nothing more comes of it. */
  end() {
    this.#hear();
    this.flush();
  }

  #showProgress() {
    const status = this.element.dataset.progress ?? "";
    const names = status === "tool_calling" ? running(this.#body).join(", ") : "";
    if (this.#progress) this.#progress.textContent = names ? `Using ${names}…` : (PROGRESS[status] ?? "");
    const summary = this.#reasoning?.querySelector("summary");
    if (summary) summary.textContent = status === "thinking" ? PROGRESS.thinking : "Reasoning";
  }

  // --- a snapshot -----------------------------------------------------------------------------

  /** Go on from what is here, and from what the server drew, to what the snapshot says.
   * @param {import("../wire/frames.js").Turn} turn */
  catchUp({ content, reasoning, status, tool_calls, note, since }) {
    this.flush();
    const thoughts = this.#reasoning?.querySelector("div");
    this.#think((reasoning ?? "").slice(thoughts?.textContent?.length ?? 0));
    const characters = Array.from(content);
    for (const call of tool_calls) {
      this.#write(characters.slice(this.#length, call.offset).join(""));
      if (this.#length === call.offset) this.#isStretchOver = true; // else it went on already
      this.#place(call);
    }
    this.#write(characters.slice(this.#length).join(""));
    this.progress(status, note, since);
  }

  /** A card that waits still is left alone: somebody may be writing in it. @param {Call} call */
  #place(call) {
    const card = this.#card(call.call_id);
    if (!card) return this.#body.append(drawCall(call, this.id ?? ""));
    if (card.dataset.status === "pending" && call.status === "pending") return;
    const again = drawCall(call, this.id ?? "");
    again.toggleAttribute("open", card.hasAttribute("open"));
    card.replaceWith(again);
  }

  // --- text -----------------------------------------------------------------------------------

  /** @param {string} text */
  #write(text) {
    if (!text) return;
    const stretch = this.#isStretchOver ? this.#open() : this.#stretches.at(-1);
    this.#text += text;
    this.#length += lengthOf(text);
    if (this.#isStretchOver && stretch) this.#adopt(stretch);
    else stretch?.writing.append(text);
    this.#isStretchOver = false;
  }

  /** Text goes on behind a call, or begins. */
  #open() {
    const [begin, index] = [this.#length, this.#text.length];
    let element = /** @type {HTMLElement | null} */ (
      this.#body.querySelector(`:scope > [data-begin="${begin}"]`)
    );
    if (!element) {
      element = document.createElement("div");
      element.className = "prose";
      this.#body.append(element);
    }
    const stretch = { begin, index, element, writing: new Writing(element) };
    this.#stretches.push(stretch);
    return stretch;
  }

  /** Show a stretch's first text; where the server drew it, its blocks stay.
   * @param {Stretch} stretch */
  #adopt({ index, element, writing }) {
    element.querySelector(":scope > .plain")?.remove();
    this.#blocks.push(.../** @type {HTMLElement[]} */ ([...element.children]));
    const ends = (element.dataset.ends ?? "").split(" ");
    this.#cover(Number(ends.at(-1)));
    writing.begin(this.#text.slice(Math.max(index, this.#covered.index)));
  }

  /** Blocks reach so far now. @param {number} end */
  #cover(end) {
    const covered = this.#covered;
    while (covered.length < end) {
      covered.index += /** @type {number} */ (this.#text.codePointAt(covered.index)) > 0xffff ? 2 : 1;
      covered.length += 1;
    }
  }

  /** @param {string} callId @returns {HTMLElement | null} */
  #card(callId) {
    return this.#body.querySelector(`[data-call-id="${CSS.escape(callId)}"]`);
  }
}

/** In code points. @param {string} text */
function lengthOf(text) {
  let length = 0;
  for (const _ of text) length += 1;
  return length;
}
