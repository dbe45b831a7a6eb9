// @ts-check
/**
 * The answer being written: reasoning, finished blocks, text not yet covered by a block, and tool
 * calls where they were made.
 *
 * Its text only grows. Lengths are in code points, as in the protocol.
 */

import { drawCall, plainly, runningTools, setResult, showCut } from "../calls/card.js";
import { draw } from "../page/drawing.js";
import { OpenBlock } from "./block.js";
import { addCopyButtons } from "./code.js";
import { parse } from "./renderings.js";
import { WaitNote } from "./wait.js";

/**
 * @typedef {import("../wire/frames.js").Call} Call
 * @typedef {object} Stretch text between two calls
 * @property {number} begin in the answer's text
 * @property {number} index the same position, as a string index
 * @property {HTMLElement} element
 * @property {OpenBlock} openBlock
 */

/** Pixels from the end of the reasoning within which the view follows it. */
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
  #wait;
  /** Folded above the answer; hidden while empty. @type {HTMLDetailsElement | null} */
  #reasoning;
  #text = "";
  /** Code points in the text. */
  #length = 0;
  /** Text received but not drawn yet. */
  #pending = "";
  #pendingReasoning = "";
  #frame = 0;
  /** How much of the text the blocks cover, in code points and as a string index. */
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
    this.#wait = new WaitNote(this.#progress);
  }

  get id() {
    return this.element.dataset.id;
  }

  // --- frames ---------------------------------------------------------------------------------

  /** Drawn on the next animation frame, as many deltas arrive between two. @param {string} text */
  append(text) {
    this.#endWait();
    this.#pending += text;
    this.#schedule();
  }

  /** Drawn on the next animation frame. @param {string} content */
  addReasoning(content) {
    this.#endWait();
    this.#pendingReasoning += content;
    this.#schedule();
  }

  #schedule() {
    this.#frame ||= requestAnimationFrame(() => this.flush());
  }

  /** Draw all received text. */
  flush() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    const [text, thoughts] = [this.#pending, this.#pendingReasoning];
    this.#pending = this.#pendingReasoning = "";
    this.#writeReasoning(thoughts);
    if (text) this.#write(text);
  }

  /** Replace text by its finished block, rendered by the server.
   * @param {{index: number, html: string, end: number}} block */
  addBlock({ index, html, end }) {
    this.flush();
    const element = /** @type {HTMLElement | null} */ (parse(html).firstElementChild);
    const stretch = this.#stretches.findLast(({ begin }) => begin < end);
    if (!element || !stretch || end > this.#length || index > this.#blocks.length) return;
    if (index < this.#blocks.length) {
      if (element.isEqualNode(this.#blocks[index])) return;
      this.#blocks[index].replaceWith(element);
    } else {
      this.#cover(end);
      const following = this.#stretches[this.#stretches.indexOf(stretch) + 1];
      stretch.openBlock.begin(this.#text.slice(this.#covered.index, following?.index));
      if (stretch.openBlock.element) stretch.openBlock.element.before(element);
      else stretch.element.append(element);
    }
    this.#blocks[index] = element;
  }

  /** @param {Call} call */
  addCall(call) {
    this.#endWait();
    this.flush();
    this.#isStretchOver = true;
    this.#body.append(drawCall(call, this.id ?? ""));
    this.#showProgress();
  }

  /** @param {{call_id: string, content: string, is_error: boolean, truncated?: boolean}} data */
  addResult({ call_id, content, is_error, truncated }) {
    this.#endWait();
    const card = this.#card(call_id);
    if (card) setResult(card, content, is_error);
    if (card && truncated) showCut(card, this.id ?? "");
    this.#showProgress();
  }

  /** @param {string} content */
  #writeReasoning(content) {
    const thoughts = this.#reasoning?.querySelector("div");
    if (!this.#reasoning || !thoughts || !content) return;
    const { scrollHeight, scrollTop, clientHeight } = thoughts;
    thoughts.append(content);
    if (scrollHeight - scrollTop - clientHeight < NEAR) thoughts.scrollTop = thoughts.scrollHeight;
    this.#reasoning.hidden = false;
  }

  /** @param {string} status @param {string} [note] about a wait @param {string} [since] */
  showStatus(status, note = "", since = "") {
    this.#endWait();
    this.element.dataset.progress = status;
    this.#showProgress();
    if (!note) return;
    this.element.dataset.waits = "";
    this.#wait.begin(note, since);
  }

  /** Remove the note about a wait: something arrived. */
  #endWait() {
    if (!this.#wait.isOn) return;
    this.#wait.end();
    delete this.element.dataset.waits;
    this.#showProgress();
  }

  /** Show a failure, as the server's rendering will.
   * @param {string} content @param {string} [details] */
  fail(content, details = "") {
    this.end();
    const outcome = draw("#new-outcome");
    const line = /** @type {HTMLElement} */ (outcome.querySelector(".note"));
    line.textContent = content;
    const [cause, text] = [outcome.querySelector(".cause"), outcome.querySelector("pre")];
    if (text) text.textContent = plainly(details);
    if (details) addCopyButtons(outcome);
    else cause?.remove();
    this.#progress?.parentElement?.replaceWith(outcome);
  }

  /** Draw the rest: the answer is over. */
  end() {
    this.#endWait();
    this.flush();
  }

  #showProgress() {
    const status = this.element.dataset.progress ?? "";
    const names = status === "tool_calling" ? runningTools(this.#body).join(", ") : "";
    if (this.#progress) this.#progress.textContent = names ? `Using ${names}…` : (PROGRESS[status] ?? "");
    const summary = this.#reasoning?.querySelector("summary");
    if (summary) summary.textContent = status === "thinking" ? PROGRESS.thinking : "Reasoning";
  }

  // --- a snapshot -----------------------------------------------------------------------------

  /** Bring the answer, drawn here or rendered by the server, up to the snapshot.
   * @param {import("../wire/frames.js").Turn} turn */
  catchUp({ content, reasoning, status, tool_calls, note, since }) {
    this.flush();
    const thoughts = this.#reasoning?.querySelector("div");
    this.#writeReasoning((reasoning ?? "").slice(thoughts?.textContent?.length ?? 0));
    const characters = Array.from(content);
    for (const call of tool_calls) {
      this.#write(characters.slice(this.#length, call.offset).join(""));
      if (this.#length === call.offset) this.#isStretchOver = true; // else text already follows it
      this.#place(call);
    }
    this.#write(characters.slice(this.#length).join(""));
    this.showStatus(status, note, since);
  }

  /** Leave a card alone that is still pending: somebody may be typing in it. @param {Call} call */
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
    const stretch = this.#isStretchOver ? this.#beginStretch() : this.#stretches.at(-1);
    this.#text += text;
    this.#length += lengthOf(text);
    if (this.#isStretchOver && stretch) this.#adopt(stretch);
    else stretch?.openBlock.append(text);
    this.#isStretchOver = false;
  }

  /** Begin a stretch of text, at the start or after a call. */
  #beginStretch() {
    const [begin, index] = [this.#length, this.#text.length];
    let element = /** @type {HTMLElement | null} */ (
      this.#body.querySelector(`:scope > [data-begin="${begin}"]`)
    );
    if (!element) {
      element = document.createElement("div");
      element.className = "prose";
      this.#body.append(element);
    }
    const stretch = { begin, index, element, openBlock: new OpenBlock(element) };
    this.#stretches.push(stretch);
    return stretch;
  }

  /** Show a stretch's first text, keeping blocks that the server rendered.
   * @param {Stretch} stretch */
  #adopt({ index, element, openBlock }) {
    element.querySelector(":scope > .plain")?.remove();
    this.#blocks.push(.../** @type {HTMLElement[]} */ ([...element.children]));
    const ends = (element.dataset.ends ?? "").split(" ");
    this.#cover(Number(ends.at(-1)));
    openBlock.begin(this.#text.slice(Math.max(index, this.#covered.index)));
  }

  /** Record how far the blocks reach. @param {number} end */
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

/** The length in code points. @param {string} text */
function lengthOf(text) {
  let length = 0;
  for (const _ of text) length += 1;
  return length;
}
