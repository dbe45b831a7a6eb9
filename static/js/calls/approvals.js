// @ts-check
/** Calls that need approval: shows, announces and focuses them, and sends decisions. */

import { refreshSidebar } from "../lists/sidebar.js";
import { tellOtherTabs } from "../lists/updates.js";
import { announce } from "../page/announcer.js";
import { showWaiting } from "../page/title.js";
import { NOT_CONNECTED } from "../wire/connection.js";
import { describe, setProgress, setStatus, showArguments, unfold } from "./card.js";
import { argumentsIn, complain, hold, isEditing, onEscape, release, toggleEditor } from "./decision.js";

const PENDING = '.call[data-status="pending"]';
/** Codes with which a decision may be refused; the frame names no call. */
const REFUSALS = new Set(["not_allowed", "invalid_frame"]);

/**
 * @typedef {object} Callbacks
 * @property {(action: object) => boolean} send false: not connected
 * @property {{isIdle: boolean, focus: () => void}} composer to focus afterwards
 */

export class Approvals {
  #root;
  #callbacks;
  #waiting = 0;
  /** Decisions being sent, oldest first, with the edited arguments.
   * @type {Map<string, object | undefined>} */
  #sent = new Map();

  /** @param {HTMLElement} root @param {Callbacks} callbacks */
  constructor(root, callbacks) {
    this.#root = root;
    this.#callbacks = callbacks;
    root.addEventListener("submit", (event) => this.#onSubmit(event));
    root.addEventListener("click", ({ target }) => toggleEditor(/** @type {Element} */ (target)));
    root.addEventListener("keydown", onEscape);
    // Enter in the checkbox must not submit the form
    root.addEventListener("keydown", (event) => {
      const isBox = /** @type {Element} */ (event.target).matches(".remember input");
      if (isBox && event.key === "Enter") event.preventDefault();
    });
  }

  // --- frames ---------------------------------------------------------------------------------

  /** @param {{call_id: string}} data */
  ask({ call_id }) {
    const card = this.#card(call_id);
    if (!card) return;
    setStatus(card, "pending");
    unfold(card);
    this.update();
    if (this.#callbacks.composer.isIdle) focusOn(card);
  }

  /** Show a decision made in any tab. @param {{call_id: string, approved: boolean}} data */
  resolve({ call_id, approved }) {
    const card = this.#card(call_id);
    const edited = this.#sent.get(call_id);
    this.#sent.delete(call_id);
    if (!card || card.dataset.status !== "pending") return;
    const hasFocus = card.contains(document.activeElement);
    if (edited) showArguments(card, edited);
    card.removeAttribute("data-editing");
    setStatus(card, approved ? "running" : "denied");
    this.update();
    if (hasFocus) this.#moveFocus(card);
  }

  /** @param {{call_id: string, content: string}} data */
  showProgress({ call_id, content }) {
    const card = this.#card(call_id);
    if (card) setProgress(card, content);
  }

  /** Show that the server refused a decision. False: it refused something else.
   * @param {{code?: string, content?: string}} frame */
  refuse({ code, content }) {
    const [callId] = this.#sent.keys();
    if (callId === undefined || !REFUSALS.has(code ?? "")) return false;
    this.#sent.delete(callId);
    const card = this.#card(callId);
    if (card) complain(card, content ?? "");
    return true;
  }

  /** The connection is new: sent decisions may not have arrived. */
  reset() {
    for (const callId of this.#sent.keys()) {
      const card = this.#card(callId);
      if (card) release(card);
    }
    this.#sent.clear();
    this.update();
  }

  /** Count the pending cards again, and tell of new ones. */
  update() {
    const waiting = [...this.#root.querySelectorAll(PENDING)];
    if (waiting.length === this.#waiting) return;
    const card = /** @type {HTMLElement | undefined} */ (waiting.at(-1));
    if (card && waiting.length > this.#waiting) announce(`${describe(card)}.`);
    this.#waiting = waiting.length;
    showWaiting(waiting.length > 0);
    refreshSidebar();
    tellOtherTabs();
  }

  // --- input ----------------------------------------------------------------------------------

  /** @param {SubmitEvent} event */
  #onSubmit(event) {
    const card = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest(".call"));
    if (!card) return;
    event.preventDefault();
    const approved = /** @type {HTMLButtonElement | null} */ (event.submitter)?.value === "yes";
    const given = approved && isEditing(card) ? argumentsIn(card) : undefined;
    if (given === null) return;
    const remember = card.querySelector(".remember input:checked") !== null;
    const call_id = card.dataset.callId ?? "";
    const answer = { action: "approve_tool", call_id, approved, remember, arguments: given };
    if (!this.#callbacks.send(answer)) {
      return complain(card, NOT_CONNECTED);
    }
    this.#sent.set(call_id, given);
    hold(card);
  }

  /** Move the focus on from a decided card. @param {HTMLElement} card */
  #moveFocus(card) {
    const next = /** @type {HTMLElement | null} */ (this.#root.querySelector(PENDING));
    if (next) focusOn(next);
    else if (matchMedia("(hover: hover)").matches) this.#callbacks.composer.focus();
    else card.querySelector("summary")?.focus({ preventScroll: true });
  }

  /** @param {string} callId @returns {HTMLElement | null} */
  #card(callId) {
    return this.#root.querySelector(`.call[data-call-id="${CSS.escape(callId)}"]`);
  }
}

/** Focus the card, not a button, so that a stray key decides nothing.
 * @param {HTMLElement} card */
function focusOn(card) {
  /** @type {HTMLElement | null} */ (card.querySelector(".details"))?.focus({ preventScroll: true });
}
