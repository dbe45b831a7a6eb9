// @ts-check
/** The user's messages: being sent, queued, refused, withdrawn, or a slash command. */

import { draw, note } from "../page/drawing.js";
import { byClient, byId } from "./find.js";

/** The limits of `chat/display/shown.py`: code points, lines. */
const LONG = 2000;
const LONG_LINES = 24;

export class Questions {
  #root;

  /** @param {HTMLElement} root */
  constructor(root) {
    this.#root = root;
  }

  /** Whether a question is about to be answered. */
  get isAnyWaiting() {
    return this.first !== null;
  }

  /** The question to be answered next. @returns {HTMLElement | null} */
  get first() {
    return this.#root.querySelector("[data-waiting]");
  }

  /** The last question that the server has. @returns {HTMLElement | undefined} */
  get last() {
    return [.../** @type {NodeListOf<HTMLElement>} */ (this.#root.querySelectorAll(".user[data-id]"))]
      .filter(({ dataset }) => dataset.id)
      .at(-1);
  }

  /** Draw a message before the server has it. @param {string} text @param {string} clientId */
  draw(text, clientId) {
    const question = drawQuestion(text);
    question.dataset.clientId = clientId;
    question.dataset.sending = "";
    note(question, "Not sent yet…");
    this.#root.append(question);
  }

  /** Show that the server stored a question, from this tab or another.
   * @param {{message_id: string, content: string, client_id?: string}} data
   * @param {boolean} isBehind an answer being written */
  confirm({ message_id, content, client_id }, isBehind) {
    const mine = byClient(this.#root, client_id);
    if (byId(this.#root, message_id)) {
      if (mine && mine.dataset.id !== message_id) mine.remove();
      return;
    }
    const question = mine ?? drawQuestion(content);
    question.dataset.id = message_id;
    if (client_id) question.dataset.clientId = client_id;
    delete question.dataset.sending;
    this.#root.insertBefore(question, this.#root.querySelector("[data-sending]"));
    markWaiting(question, isBehind);
  }

  /** Show that the server refused it. @param {string | undefined} clientId @param {string} reason */
  refuse(clientId, reason) {
    const question = byClient(this.#root, clientId);
    if (!question) return;
    delete question.dataset.sending;
    question.dataset.refused = "";
    note(question, reason, "give-back", "Edit");
  }

  /** Show that a slash command was answered; it is not a message. @param {string | undefined} clientId
   * @returns {string} the command */
  finishCommand(clientId) {
    const question = byClient(this.#root, clientId);
    if (!question) return "";
    delete question.dataset.sending;
    note(question, "");
    const command = question.querySelector(".bubble")?.textContent?.trim() ?? "";
    question.dataset.command = command.split(/\s/, 1)[0].toLowerCase();
    return command;
  }

  /** Remove a command and its answer, once its effect is visible. @param {string} name */
  removeCommand(name) {
    for (const command of this.#root.querySelectorAll(`[data-command="${CSS.escape(name)}"]`)) {
      if (command.nextElementSibling?.matches(".notice")) command.nextElementSibling.remove();
      command.remove();
    }
  }

  /** Remove a question and its queued answer. @param {string | undefined} clientId
   * @returns {string | null} its text */
  remove(clientId) {
    const question = byClient(this.#root, clientId);
    if (!question) return null;
    const answer = question.nextElementSibling;
    if (answer instanceof HTMLElement && answer.dataset.status === "queued") answer.remove();
    question.remove();
    return question.querySelector(".bubble")?.textContent ?? null;
  }

  /** @param {string | undefined} clientId */
  isWaiting(clientId) {
    return byClient(this.#root, clientId)?.dataset.waiting !== undefined;
  }

  /** Mark questions whose answers have not begun. @param {boolean} isBehind an answer being written */
  markWaiting(isBehind) {
    for (const answer of this.#root.querySelectorAll('.assistant[data-status="queued"]')) {
      const question = answer.previousElementSibling;
      if (!(question instanceof HTMLElement)) continue;
      markWaiting(question, isBehind);
      isBehind = true;
    }
  }
}

/** @param {string} text */
export function drawQuestion(text) {
  const question = draw("#new-question");
  question.dataset.status = "completed";
  const bubble = question.querySelector(".bubble");
  if (bubble) bubble.textContent = text;
  if (text.split("\n").length > LONG_LINES || [...text].length > LONG) question.dataset.long = "";
  return question;
}

/** @param {HTMLElement} question @param {boolean} isBehind an answer being written */
function markWaiting(question, isBehind) {
  question.dataset.waiting = "";
  note(question, "");
  if (!isBehind) return;
  question.dataset.queued = "";
  note(question, "Queued", question.dataset.clientId && "take-back", "Cancel");
}

/** Remove the marks of a question whose answer has begun. @param {Element | null} question */
export function clearWaiting(question) {
  if (!(question instanceof HTMLElement) || question.dataset.waiting === undefined) return;
  delete question.dataset.waiting;
  delete question.dataset.queued;
  note(question, "");
}
