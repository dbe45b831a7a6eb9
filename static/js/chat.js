// @ts-check
/** One conversation on the page: the connection, and what comes over it. */

import { Approvals } from "./approvals.js";
import { announce, sidebarChanged, tell } from "./around.js";
import { addButtons } from "./code.js";
import { startEarlier } from "./earlier.js";
import { onFrame } from "./frames.js";
import { gone, retitle, tellOtherTabs } from "./lists.js";
import { Model } from "./model.js";
import { notice } from "./notice.js";
import { Person } from "./person.js";
import { Scroll } from "./scroll.js";
import { Sending } from "./sending.js";
import { Connection } from "./socket.js";
import { showAnswered, showOpening, showTitle } from "./title.js";
import { Transcript } from "./transcript.js";
import { Turning } from "./turning.js";
import { writeHere } from "./writable.js";

/** @typedef {import("./frames.js").Frame} Frame */

/** An error that belongs to a message is followed at once by the message's `done`. */
const DONE_WITHIN = 200;

export class Chat {
  #root;
  #messages;
  #transcript;
  #turning;
  #person;
  #model;
  #connection = new Connection({
    onFrame: (frame) => this.#heard(frame),
    onOpen: (isAgain) => this.#opened(isAgain),
    onLost: (isFinal) => this.#lost(isFinal),
  });
  #sending = new Sending(this.#connection);
  /** What came while a snapshot is put on the page. @type {Frame[] | null} */
  #held = null;
  /** Why the server refused something: its `done` follows. */
  #refusal = "";
  /** What a slash command did: its `done` follows. @type {string | undefined} */
  #outcome;
  /** Another branch became the current one: the next snapshot shows it. */
  #isLeaving = false;

  /** @param {HTMLElement} root */
  constructor(root) {
    const [connection, sending, model] = [this.#connection, this.#sending, new Model(root.dataset.model)];
    const messages = /** @type {HTMLElement} */ (root.querySelector("#messages"));
    const scroll = new Scroll(root, /** @type {HTMLButtonElement} */ (root.querySelector("#latest")));
    const transcript = new Transcript(messages, () => connection.session);
    const turning = new Turning(messages, scroll);
    connection.session = root.dataset.session || null;
    this.#root = root;
    this.#messages = messages;
    this.#transcript = transcript;
    this.#turning = turning;
    this.#model = model;
    const parts = { connection, sending, transcript, scroll, turning, model };
    this.#person = new Person(root, messages, parts);
    this.approvals = new Approvals(messages, {
      send: (action) => this.#person.act(action),
      composer: this.#person.composer,
    });
    messages.addEventListener("htmx:afterSwap", () => addButtons(messages));
    addEventListener("popstate", () => this.#wentBack());
  }

  start() {
    addButtons(this.#messages);
    for (const unsent of [...this.#sending.refused, ...this.#sending.waiting]) this.#person.draw(unsent);
    this.#banner("Connecting…");
    this.#connection.open();
    startEarlier(this.#messages);
    this.#root.querySelector("#latest")?.addEventListener("click", writeHere);
    writeHere();
  }

  #wentBack() {
    const shown = this.#connection.session ? `/c/${this.#connection.session}/` : "/";
    if (location.pathname !== shown) location.reload();
  }

  // --- the connection -------------------------------------------------------------------------

  /** @param {boolean} isAgain */
  #opened(isAgain) {
    if (isAgain) sidebarChanged();
    if (this.#connection.session) return; // what is done now is heard once the snapshot is here
    this.#banner("");
    this.#sending.sendWaiting();
  }

  /** @param {boolean} isFinal */
  #lost(isFinal) {
    this.#sending.lost();
    this.#person.editors.reset();
    this.#person.composer.reset();
    this.approvals.reset();
    this.#banner(
      isFinal
        ? "The server does not let this page in any more. Please load it again."
        : "Connection lost. Trying again in 3 s…",
    );
  }

  /** @param {string} text why nothing is heard; empty: all is */
  #banner(text) {
    const banner = this.#root.querySelector("#banner");
    // what says the same again would be read aloud again
    if (banner && banner.textContent !== text) banner.textContent = text;
    this.#root.toggleAttribute("data-unheard", text !== "");
    if (!text) this.#person.connected();
  }

  /** @param {Frame} frame */
  #heard(frame) {
    if (this.#held) this.#held.push(frame);
    else onFrame[frame.type]?.(this, frame);
  }

  /** What was held goes on, up to the next snapshot. */
  #release() {
    const held = this.#held ?? [];
    this.#held = null;
    for (const frame of held) this.#heard(frame);
  }

  // --- frames ---------------------------------------------------------------------------------

  /** @param {import("./frames.js").Snapshot} snapshot */
  async attached(snapshot) {
    if (snapshot.title) showTitle(snapshot.title);
    this.#model.show(snapshot.model);
    const url = `/c/${snapshot.session_id}/`;
    if (location.pathname !== url) {
      this.#sending.adopt(snapshot.session_id); // what was said on a new page belongs to no older chat
      history.pushState(null, "", url);
      this.#person.composer.moved();
    }
    this.#held = [];
    await this.#transcript.restore(snapshot);
    if (this.#connection.isReady) this.#banner("");
    if (this.#isLeaving) this.#transcript.questions.forget("/retry");
    this.#isLeaving = false;
    this.#turning.end();
    this.approvals.reset();
    this.#sending.sendWaiting();
    this.#showBusy();
    this.#release();
  }

  /** @param {{message_id: string, content: string, client_id?: string}} data */
  messageCreated(data) {
    const { composer, editors } = this.#person;
    this.#root.querySelector("#welcome")?.remove();
    this.#sending.settle(data.client_id);
    showOpening(data.content);
    const edited = editors.edited(data.client_id);
    if (edited) this.#transcript.leave(edited);
    this.#transcript.questions.created(data, this.#transcript.isBusy);
    if (edited) composer.focus(); // what had the focus is gone
    this.#showBusy();
    sidebarChanged();
    tellOtherTabs();
  }

  /** @param {string} content */
  append(content) {
    if (this.#transcript.live) this.#transcript.live.append(content);
    else this.#connection.resume(); // an answer that this page has not seen begin
  }

  /** @param {{message_id: string, index: number, html: string, end: number}} block */
  block(block) {
    if (this.#transcript.live?.id === block.message_id) this.#transcript.live.block(block);
  }

  /** @param {{message_id: string, status: string, note?: string, since?: string}} data */
  status({ message_id, status, note, since }) {
    this.#transcript.begin(message_id).progress(status, note, since);
    this.#showBusy();
  }

  /** @param {import("./frames.js").Call} call */
  toolCalled(call) {
    this.#transcript.live?.call(call);
  }

  /** @param {{call_id: string, content: string, is_error: boolean, truncated?: boolean}} data */
  toolFinished(data) {
    this.#transcript.live?.result(data);
  }

  /** @param {string} content */
  reasoning(content) {
    this.#transcript.live?.reason(content);
  }

  /** The current branch is another one now: a snapshot says which. */
  resync() {
    this.#isLeaving = true;
    this.#connection.resume();
  }

  /** @param {Frame} frame */
  notice({ content, html, outcome }) {
    this.#outcome = outcome;
    const shown = notice(content, html);
    this.#messages.append(shown);
    tell(shown.innerText);
  }

  /** @param {Frame} frame */
  error(frame) {
    if (frame.seq !== undefined) return this.#transcript.live?.fail(frame.content, frame.details);
    if (this.approvals.refused(frame)) return;
    if (frame.code === "session_not_found") return this.#gone();
    this.#refusal = frame.content;
    this.#turning.end();
    // what is no answer to a message is said by itself
    setTimeout(() => this.#complain(), DONE_WITHIN);
  }

  /** @param {Frame} frame */
  done({ message_id, status, client_id, seq }) {
    const { questions } = this.#transcript;
    if (message_id || status !== "failed") this.#sending.settle(client_id);
    if (message_id) {
      const isWithdrawn = seq === undefined && status === "cancelled" && questions.isWaiting(client_id);
      if (isWithdrawn) this.#person.takenBack(client_id);
      else this.#settle(message_id, status);
    } else if (status !== "failed") {
      this.#obey(questions.answered(client_id));
    } else if (client_id) {
      this.#person.refused(client_id, this.#takeRefusal() || "This message was refused.");
    } else {
      this.#complain();
    }
    this.#showBusy();
  }

  /** What a command means for the page. @param {string} command */
  #obey(command) {
    const [, name, argument] = /^(\S*)\s*(.*)$/s.exec(command) ?? [];
    if (this.#outcome === "unknown_command") this.#person.composer.giveBack(command);
    if (/^\/new$/i.test(name) && !argument) location.assign("/");
    if (this.#outcome === "model_chosen") this.#model.choose(argument.trim());
  }

  #complain() {
    if (this.#refusal) this.#person.composer.complain(this.#takeRefusal());
  }

  #takeRefusal() {
    const refusal = this.#refusal;
    this.#refusal = "";
    return refusal;
  }

  /** @param {string} messageId @param {string} status */
  async #settle(messageId, status) {
    this.#person.composer.reset(); // the next answer can be stopped, too
    const element = await this.#transcript.settle(messageId, status);
    this.approvals.changed();
    if (!element) return;
    announce(element);
    showAnswered();
  }

  /** @param {string} session @param {string} title */
  titled(session, title) {
    if (session === this.#connection.session) showTitle(title);
    retitle(session, title);
  }

  /** @param {string} session */
  deleted(session) {
    if (session === this.#connection.session) this.#gone();
    gone(session);
  }

  // --- what is shown around the messages ------------------------------------------------------

  #gone() {
    this.#connection.close();
    this.#person.composer.close();
    this.#root.dataset.gone = ""; // hides what could be done with it
    this.#banner("This chat was deleted. You can still read it here, until you leave.");
  }

  #showBusy() {
    const { isBusy } = this.#transcript;
    this.#person.composer.isBusy = isBusy;
    this.#messages.toggleAttribute("data-busy", isBusy);
  }
}
