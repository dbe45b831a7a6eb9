// @ts-check
/** Sends messages to the server as soon as it can, and again until they are confirmed. */

import { Outbox } from "./outbox.js";

/** @typedef {import("./outbox.js").Unsent} Unsent */

/** Milliseconds after which an unconfirmed send means a dead connection. */
const CONFIRMED_WITHIN = 15_000;

export class Delivery {
  #connection;
  #outbox;
  /** Ids sent over the current connection. @type {Set<string>} */
  #sent = new Set();

  /** @param {import("./connection.js").Connection} connection */
  constructor(connection) {
    this.#connection = connection;
    this.#outbox = new Outbox(() => connection.session);
  }

  /** Unconfirmed messages, oldest first. */
  get waiting() {
    return this.#outbox.waiting;
  }

  /** Refused messages, oldest first. */
  get refused() {
    return this.#outbox.refused;
  }

  /** @param {string} text @param {string} [model] of a new conversation @returns {Unsent} */
  add(text, model) {
    return this.#outbox.add(text, model);
  }

  /** @param {Unsent} unsent */
  send({ text, client_id, model }) {
    this.#sent.add(client_id);
    this.#connection.send({ action: "send", text, client_id, model, render: true });
    setTimeout(() => this.#outbox.isOpen(client_id) && this.#connection.reopen(), CONFIRMED_WITHIN);
  }

  sendWaiting() {
    for (const unsent of this.waiting) if (!this.#sent.has(unsent.client_id)) this.send(unsent);
  }

  /** Forget a message: the server has it, or it is being edited again. @param {string | undefined} clientId */
  settle(clientId) {
    this.#outbox.settle(clientId);
  }

  /** @param {string} clientId @param {string} reason */
  refuse(clientId, reason) {
    this.#outbox.refuse(clientId, reason);
  }

  /** Assign the messages of a new page to the conversation they began. @param {string} session */
  adopt(session) {
    this.#outbox.adopt(session);
  }

  /** The connection was lost: sent messages may not have arrived. */
  reset() {
    this.#sent.clear();
  }
}
