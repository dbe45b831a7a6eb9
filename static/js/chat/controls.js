// @ts-check
/** What a person does on the page, in the composer and with the messages that are there. */

import { Actions } from "../messages/actions.js";
import { tell } from "../page/announcer.js";
import { Composer } from "../compose/composer.js";
import { Editors } from "../compose/editor.js";
import { fetchSource } from "../messages/renderings.js";

/** @typedef {import("../wire/outbox.js").Unsent} Unsent */

const NO_CONNECTION = "There is no connection right now. Please try again in a moment.";

/**
 * @typedef {object} Parts of the page
 * @property {import("../wire/connection.js").Connection} connection
 * @property {import("../wire/delivery.js").Sending} sending
 * @property {import("../messages/transcript.js").Transcript} transcript
 * @property {import("./scroll.js").Scroll} scroll
 * @property {import("../messages/versions.js").Turning} turning
 * @property {import("./model.js").Model} model
 */

export class Person {
  #root;
  #parts;
  /** Questions whose text comes back to this tab once they are taken back. @type {Set<string>} */
  #wanted = new Set();

  /** @param {HTMLElement} root @param {HTMLElement} messages @param {Parts} parts */
  constructor(root, messages, parts) {
    this.#root = root;
    this.#parts = parts;
    const { connection, transcript } = parts;
    this.composer = new Composer(() => connection.session, {
      onSubmit: (text) => this.#say(text),
      onStop: () => this.#tell({ action: "cancel" }),
      onUp: () => this.#editLast(),
    });
    this.editors = new Editors(messages, (action) => this.act(action));
    new Actions(messages, {
      send: (action) => this.#ask(action),
      source: (id) => fetchSource(connection.session, id),
      edit: (message) => this.#edit(message),
      stay: () => parts.scroll.stay(),
      select: (message, { value }) => this.#turn(message, value),
      takeBack: (message) => this.#takeBack(message),
      giveBack: (message) => this.#giveBack(message),
      complain: (text) => this.composer.complain(text),
    });
    root.querySelector("#welcome")?.addEventListener("click", (event) => this.#suggested(event));
  }

  /** What makes sense only now. False: it cannot be done. @param {object} action */
  act(action) {
    return this.#parts.connection.isReady && this.#parts.connection.send(action);
  }

  /** There is a connection again. */
  connected() {
    this.composer.retract(NO_CONNECTION);
  }

  /** @param {Unsent} unsent */
  draw({ text, client_id, refusal }) {
    const { questions } = this.#parts.transcript;
    this.#root.querySelector("#welcome")?.remove();
    questions.ask(text, client_id);
    if (refusal) questions.refuse(client_id, refusal);
  }

  /** A question was taken back. @param {string | undefined} clientId */
  takenBack(clientId) {
    const text = this.#parts.transcript.questions.remove(clientId);
    if (clientId && this.#wanted.delete(clientId)) this.composer.giveBack(text);
  }

  /** The server will not have it. @param {string} clientId @param {string} reason */
  refused(clientId, reason) {
    if (this.editors.refuse(clientId, reason)) return;
    this.#parts.sending.refuse(clientId, reason);
    this.#parts.transcript.questions.refuse(clientId, reason);
    tell(reason);
  }

  /** @param {HTMLElement} message */
  #edit(message) {
    if (message.dataset.cut === undefined) this.editors.open(message);
    else this.composer.complain("This message is longer than what can be sent. Copy a part of it instead.");
  }

  /** What was refused can be changed. @param {HTMLElement} question */
  #giveBack({ dataset: { clientId } }) {
    const { sending, transcript } = this.#parts;
    this.composer.giveBack(transcript.questions.remove(clientId)); // now a draft keeps it
    sending.settle(clientId);
  }

  /** @param {string} text */
  #say(text) {
    const { connection, model, scroll, sending } = this.#parts;
    const unsent = sending.add(text, model.chosen);
    this.draw(unsent);
    scroll.toEnd();
    if (connection.isReady) sending.send(unsent);
  }

  /** @param {Event} event */
  #suggested({ target }) {
    const suggestion = /** @type {Element} */ (target).closest("[data-suggestion]");
    if (!suggestion) return;
    this.#say(suggestion.textContent ?? "");
    this.composer.focus(); // what had the focus is gone
  }

  /** For another answer. @param {object} action */
  #ask(action) {
    if (this.act(action)) this.#parts.scroll.toEnd();
    else this.composer.complain(NO_CONNECTION);
    this.composer.focus(); // what had the focus goes
  }

  /** @param {HTMLElement} message @param {string} messageId of another version of it */
  #turn(message, messageId) {
    if (this.act({ action: "select", message_id: messageId })) this.#parts.turning.begin(message, messageId);
    else this.composer.complain(NO_CONNECTION);
  }

  /** @param {HTMLElement} question */
  #takeBack({ dataset: { clientId } }) {
    if (clientId && this.#tell({ action: "withdraw", client_id: clientId })) this.#wanted.add(clientId);
  }

  /** What makes sense as soon as there is a connection. False: nobody hears it. @param {object} action */
  #tell(action) {
    const isHeard = this.#parts.connection.send(action);
    if (!isHeard) this.composer.complain(NO_CONNECTION);
    return isHeard;
  }

  #editLast() {
    const { isBusy, questions } = this.#parts.transcript;
    const { last } = questions;
    if (last?.dataset.queued !== undefined) this.#takeBack(last);
    else if (last && !isBusy) this.#edit(last);
  }
}
