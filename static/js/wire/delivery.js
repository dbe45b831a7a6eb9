// @ts-check
/** What was said goes to the server: once it can, and again until it is heard. */

import { Outbox } from "./outbox.js";

/** @typedef {import("./outbox.js").Unsent} Unsent */

/** A send that nobody confirms for so long went into a dead connection. */
const CONFIRMED_WITHIN = 15_000;

export class Sending {
  #connection;
  #outbox;
  /** What went out over this very connection. @type {Set<string>} */
  #sent = new Set();

  /** @param {import("./connection.js").Connection} connection */
  constructor(connection) {
    this.#connection = connection;
    this.#outbox = new Outbox(() => connection.session);
  }

  /** Said and not yet heard by the server, oldest first. */
  get waiting() {
    return this.#outbox.waiting;
  }

  /** What the server would not have, oldest first. */
  get refused() {
    return this.#outbox.refused;
  }

  /** @param {string} text @param {string} [model] that a conversation begins with @returns {Unsent} */
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

  /** The server has it, or it was taken up again. @param {string | undefined} clientId */
  settle(clientId) {
    this.#outbox.settle(clientId);
  }

  /** @param {string} clientId @param {string} reason */
  refuse(clientId, reason) {
    this.#outbox.refuse(clientId, reason);
  }

  /** What began a conversation belongs to it from now on. @param {string} session */
  adopt(session) {
    this.#outbox.adopt(session);
  }

  /** The connection is gone: what went out may not have arrived. */
  lost() {
    this.#sent.clear();
  }
}
