// @ts-check
/** User input: the composer, and the buttons of the messages. */

import { Composer } from "../compose/composer.js";
import { Editors } from "../compose/editor.js";
import { Actions } from "../messages/actions.js";
import { fetchSource } from "../messages/renderings.js";
import { announce } from "../page/announcer.js";
import { NOT_CONNECTED } from "../wire/connection.js";

/** @typedef {import("../wire/outbox.js").Unsent} Unsent */

/**
 * @typedef {object} Parts of the page
 * @property {import("../wire/connection.js").Connection} connection
 * @property {import("../wire/delivery.js").Delivery} delivery
 * @property {import("../messages/transcript.js").Transcript} transcript
 * @property {import("./scroll.js").Scroll} scroll
 * @property {import("../messages/versions.js").VersionSwitch} versions
 * @property {import("./model.js").Model} model
 */

export class Controls {
  #root;
  #parts;
  /** Client ids of withdrawn questions whose text returns to this tab's composer. @type {Set<string>} */
  #withdrawn = new Set();

  /** @param {HTMLElement} root @param {HTMLElement} messages @param {Parts} parts */
  constructor(root, messages, parts) {
    this.#root = root;
    this.#parts = parts;
    const { connection, transcript } = parts;
    this.composer = new Composer(() => connection.session, {
      onSubmit: (text) => this.#say(text),
      onStop: () => this.#sendAnyway({ action: "cancel" }),
      onUp: () => this.#editLast(),
    });
    this.editors = new Editors(messages, (action) => this.send(action));
    new Actions(messages, {
      send: (action) => this.#requestAnswer(action),
      source: (id) => fetchSource(connection.session, id),
      edit: (message) => this.#edit(message),
      stay: () => parts.scroll.stay(),
      select: (message, { value }) => this.#switchVersion(message, value),
      withdraw: (message) => this.#withdraw(message),
      restore: (message) => this.#restore(message),
      complain: (text) => this.composer.complain(text),
    });
    root.querySelector("#welcome")?.addEventListener("click", (event) => this.#onSuggestion(event));
  }

  /** Send only if connected and in sync. False: not sent. @param {object} action */
  send(action) {
    return this.#parts.connection.isReady && this.#parts.connection.send(action);
  }

  /** The connection is back: remove the complaint about it. */
  clearOffline() {
    this.composer.clearComplaint(NOT_CONNECTED);
  }

  /** @param {Unsent} unsent */
  drawUnsent({ text, client_id, refusal }) {
    const { questions } = this.#parts.transcript;
    this.#root.querySelector("#welcome")?.remove();
    questions.draw(text, client_id);
    if (refusal) questions.refuse(client_id, refusal);
  }

  /** A question was withdrawn. @param {string | undefined} clientId */
  onWithdrawn(clientId) {
    const text = this.#parts.transcript.questions.remove(clientId);
    if (clientId && this.#withdrawn.delete(clientId)) this.composer.restore(text);
  }

  /** The server refused a message. @param {string} clientId @param {string} reason */
  onRefused(clientId, reason) {
    if (this.editors.refuse(clientId, reason)) return;
    this.#parts.delivery.refuse(clientId, reason);
    this.#parts.transcript.questions.refuse(clientId, reason);
    announce(reason);
  }

  /** @param {HTMLElement} message */
  #edit(message) {
    if (message.dataset.cut === undefined) this.editors.open(message);
    else this.composer.complain("This message is too long to edit. Copy part of it instead.");
  }

  /** Put a refused question back into the composer. @param {HTMLElement} question */
  #restore({ dataset: { clientId } }) {
    const { delivery, transcript } = this.#parts;
    this.composer.restore(transcript.questions.remove(clientId)); // the draft keeps it now
    delivery.settle(clientId);
  }

  /** @param {string} text */
  #say(text) {
    const { connection, model, scroll, delivery } = this.#parts;
    const unsent = delivery.add(text, model.chosen);
    this.drawUnsent(unsent);
    scroll.toEnd();
    if (connection.isReady) delivery.send(unsent);
  }

  /** @param {Event} event */
  #onSuggestion({ target }) {
    const suggestion = /** @type {Element} */ (target).closest("[data-suggestion]");
    if (!suggestion) return;
    this.#say(suggestion.textContent ?? "");
    this.composer.focus(); // the focused element is gone
  }

  /** Ask for another answer. @param {object} action */
  #requestAnswer(action) {
    if (this.send(action)) this.#parts.scroll.toEnd();
    else this.composer.complain(NOT_CONNECTED);
    this.composer.focus(); // the focused button disappears
  }

  /** @param {HTMLElement} message @param {string} messageId of the other version */
  #switchVersion(message, messageId) {
    if (this.send({ action: "select", message_id: messageId })) this.#parts.versions.begin(message, messageId);
    else this.composer.complain(NOT_CONNECTED);
  }

  /** @param {HTMLElement} question */
  #withdraw({ dataset: { clientId } }) {
    if (clientId && this.#sendAnyway({ action: "withdraw", client_id: clientId })) this.#withdrawn.add(clientId);
  }

  /** Send if connected, in sync or not. False: not sent. @param {object} action */
  #sendAnyway(action) {
    const isSent = this.#parts.connection.send(action);
    if (!isSent) this.composer.complain(NOT_CONNECTED);
    return isSent;
  }

  #editLast() {
    const { isBusy, questions } = this.#parts.transcript;
    const { last } = questions;
    if (last?.dataset.queued !== undefined) this.#withdraw(last);
    else if (last && !isBusy) this.#edit(last);
  }
}
