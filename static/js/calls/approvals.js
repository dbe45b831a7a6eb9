// @ts-check
/** Calls that wait for a person: the question is seen, heard and found, the answer is sent. */

import { sidebarChanged, tell } from "../page/announcer.js";
import { open, said, setProgress, setStatus, showArguments } from "./card.js";
import { argumentsIn, complain, escaped, isEditing, release, toggleEditor, hold } from "./decision.js";
import { tellOtherTabs } from "../lists/updates.js";
import { showWaiting } from "../page/title.js";

const PENDING = '.call[data-status="pending"]';
/** What a decision may be refused with; its frame names no call. */
const REFUSALS = new Set(["not_allowed", "invalid_frame"]);

/**
 * @typedef {object} Wishes
 * @property {(action: object) => boolean} send false: there is no connection
 * @property {{isIdle: boolean, focus: () => void}} composer where one goes on writing; whether nobody is
 */

export class Approvals {
  #root;
  #wishes;
  #waiting = 0;
  /** Decisions on their way, oldest first, and what was put in place of the arguments.
   * @type {Map<string, object | undefined>} */
  #sent = new Map();

  /** @param {HTMLElement} root @param {Wishes} wishes */
  constructor(root, wishes) {
    this.#root = root;
    this.#wishes = wishes;
    root.addEventListener("submit", (event) => this.#submitted(event));
    root.addEventListener("click", ({ target }) => toggleEditor(/** @type {Element} */ (target)));
    root.addEventListener("keydown", escaped);
    // Enter ticks no box; it must not approve instead
    root.addEventListener("keydown", (event) => {
      const isBox = /** @type {Element} */ (event.target).matches(".remember input");
      if (isBox && event.key === "Enter") event.preventDefault();
    });
  }

  // --- frames ---------------------------------------------------------------------------------

  /** @param {{call_id: string}} data */
  asked({ call_id }) {
    const card = this.#card(call_id);
    if (!card) return;
    setStatus(card, "pending");
    open(card);
    this.changed();
    if (this.#wishes.composer.isIdle) focusOn(card);
  }

  /** Somebody decided, in whichever tab. @param {{call_id: string, approved: boolean}} data */
  resolved({ call_id, approved }) {
    const card = this.#card(call_id);
    const edited = this.#sent.get(call_id);
    this.#sent.delete(call_id);
    if (!card || card.dataset.status !== "pending") return;
    const hasFocus = card.contains(document.activeElement);
    if (edited) showArguments(card, edited);
    card.removeAttribute("data-editing");
    setStatus(card, approved ? "running" : "denied");
    this.changed();
    if (hasFocus) this.#leave(card);
  }

  /** @param {{call_id: string, content: string}} data */
  progress({ call_id, content }) {
    const card = this.#card(call_id);
    if (card) setProgress(card, content);
  }

  /** The server refused something. False: no decision. @param {{code?: string, content?: string}} frame */
  refused({ code, content }) {
    const [callId] = this.#sent.keys();
    if (callId === undefined || !REFUSALS.has(code ?? "")) return false;
    this.#sent.delete(callId);
    const card = this.#card(callId);
    if (card) complain(card, content ?? "");
    return true;
  }

  /** The connection is another one: what was sent may not have arrived. */
  reset() {
    for (const callId of this.#sent.keys()) {
      const card = this.#card(callId);
      if (card) release(card);
    }
    this.#sent.clear();
    this.changed();
  }

  /** Cards came, went, or changed. */
  changed() {
    const waiting = [...this.#root.querySelectorAll(PENDING)];
    if (waiting.length === this.#waiting) return;
    const card = /** @type {HTMLElement | undefined} */ (waiting.at(-1));
    if (card && waiting.length > this.#waiting) tell(`${said(card)}.`);
    this.#waiting = waiting.length;
    showWaiting(waiting.length > 0);
    sidebarChanged();
    tellOtherTabs();
  }

  // --- what a person does ---------------------------------------------------------------------

  /** @param {SubmitEvent} event */
  #submitted(event) {
    const card = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest(".call"));
    if (!card) return;
    event.preventDefault();
    const approved = /** @type {HTMLButtonElement | null} */ (event.submitter)?.value === "yes";
    const given = approved && isEditing(card) ? argumentsIn(card) : undefined;
    if (given === null) return;
    const remember = card.querySelector(".remember input:checked") !== null;
    const call_id = card.dataset.callId ?? "";
    const answer = { action: "approve_tool", call_id, approved, remember, arguments: given };
    if (!this.#wishes.send(answer)) {
      return complain(card, "There is no connection right now. Please try again in a moment.");
    }
    this.#sent.set(call_id, given);
    hold(card);
  }

  /** What had the focus is gone. @param {HTMLElement} card */
  #leave(card) {
    const next = /** @type {HTMLElement | null} */ (this.#root.querySelector(PENDING));
    if (next) focusOn(next);
    else if (matchMedia("(hover: hover)").matches) this.#wishes.composer.focus();
    else card.querySelector("summary")?.focus({ preventScroll: true });
  }

  /** @param {string} callId @returns {HTMLElement | null} */
  #card(callId) {
    return this.#root.querySelector(`.call[data-call-id="${CSS.escape(callId)}"]`);
  }
}

/** Its whole, not a button: a key that was meant for something else decides nothing.
 * @param {HTMLElement} card */
function focusOn(card) {
  /** @type {HTMLElement | null} */ (card.querySelector(".details"))?.focus({ preventScroll: true });
}
