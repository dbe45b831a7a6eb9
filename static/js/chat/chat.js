// @ts-check
/** One conversation on the page: its connection and the frames that arrive. */

import { Approvals } from "../calls/approvals.js";
import { focusComposer } from "../compose/field.js";
import { refreshSidebar } from "../lists/sidebar.js";
import { removeChat, retitleChat, tellOtherTabs } from "../lists/updates.js";
import { addCopyButtons } from "../messages/code.js";
import { startEarlier } from "../messages/earlier.js";
import { drawReply } from "../messages/reply.js";
import { Transcript } from "../messages/transcript.js";
import { VersionSwitch } from "../messages/versions.js";
import { announce, announceAnswer } from "../page/announcer.js";
import { showAnswered, showOpening, showTitle } from "../page/title.js";
import { Connection } from "../wire/connection.js";
import { Delivery } from "../wire/delivery.js";
import { onFrame } from "../wire/frames.js";
import { showBanner } from "./banner.js";
import { Controls } from "./controls.js";
import { Model } from "./model.js";
import { Scroll } from "./scroll.js";

/** @typedef {import("../wire/frames.js").Frame} Frame */

/** Milliseconds to wait for the `done` that follows an error about a message. */
const DONE_WITHIN = 200;

export class Chat {
  #root;
  #messages;
  #transcript;
  #versions;
  #controls;
  #model;
  #connection = new Connection({
    onFrame: (frame) => this.#receive(frame),
    onOpen: (isAgain) => this.#onOpen(isAgain),
    onLost: (isFinal) => this.#onLost(isFinal),
  });
  #delivery = new Delivery(this.#connection);
  /** Frames held back while a snapshot is being shown. @type {Frame[] | null} */
  #held = null;
  /** Why the server refused something, until its `done` arrives. */
  #refusal = "";
  /** What a slash command did, until its `done` arrives. @type {string | undefined} */
  #outcome;
  /** The current branch changed; the next snapshot shows the new one. */
  #isLeaving = false;

  /** @param {HTMLElement} root */
  constructor(root) {
    const [connection, delivery, model] = [this.#connection, this.#delivery, new Model(root.dataset.model)];
    const messages = /** @type {HTMLElement} */ (root.querySelector("#messages"));
    const scroll = new Scroll(root, /** @type {HTMLButtonElement} */ (root.querySelector("#latest")));
    const transcript = new Transcript(messages, () => connection.session);
    const versions = new VersionSwitch(messages, scroll);
    connection.session = root.dataset.session || null;
    this.#root = root;
    this.#messages = messages;
    this.#transcript = transcript;
    this.#versions = versions;
    this.#model = model;
    const parts = { connection, delivery, transcript, scroll, versions, model };
    this.#controls = new Controls(root, messages, parts);
    this.approvals = new Approvals(messages, {
      send: (action) => this.#controls.send(action),
      composer: this.#controls.composer,
    });
    messages.addEventListener("htmx:afterSwap", () => addCopyButtons(messages));
    addEventListener("popstate", () => this.#onBack());
  }

  start() {
    addCopyButtons(this.#messages);
    for (const unsent of [...this.#delivery.refused, ...this.#delivery.waiting]) this.#controls.drawUnsent(unsent);
    this.#setBanner("Connecting…");
    this.#connection.open();
    startEarlier(this.#messages);
    this.#root.querySelector("#latest")?.addEventListener("click", focusComposer);
    focusComposer();
  }

  #onBack() {
    const shown = this.#connection.session ? `/c/${this.#connection.session}/` : "/";
    if (location.pathname !== shown) location.reload();
  }

  // --- the connection -------------------------------------------------------------------------

  /** @param {boolean} isAgain */
  #onOpen(isAgain) {
    if (isAgain) refreshSidebar();
    if (this.#connection.session) return; // wait for the snapshot
    this.#setBanner("");
    this.#delivery.sendWaiting();
  }

  /** @param {boolean} isFinal */
  #onLost(isFinal) {
    this.#delivery.reset();
    this.#controls.editors.reset();
    this.#controls.composer.reset();
    this.approvals.reset();
    this.#setBanner(
      isFinal
        ? "You've been disconnected. Reload the page."
        : "Connection lost. Trying again in 3 s…",
    );
  }

  /** @param {string} text why no frames arrive; empty when they do */
  #setBanner(text) {
    showBanner(this.#root, text);
    if (!text) this.#controls.clearOffline();
  }

  /** @param {Frame} frame */
  #receive(frame) {
    if (this.#held) this.#held.push(frame);
    else onFrame[frame.type]?.(this, frame);
  }

  /** Handle the held frames, up to the next snapshot. */
  #release() {
    const held = this.#held ?? [];
    this.#held = null;
    for (const frame of held) this.#receive(frame);
  }

  // --- frames ---------------------------------------------------------------------------------

  /** @param {import("../wire/frames.js").Snapshot} snapshot */
  async restore(snapshot) {
    if (snapshot.title) showTitle(snapshot.title);
    this.#model.show(snapshot.model);
    const url = `/c/${snapshot.session_id}/`;
    if (location.pathname !== url) {
      this.#delivery.adopt(snapshot.session_id); // messages of a new page now belong to this chat
      history.pushState(null, "", url);
      this.#controls.composer.moveDraft();
    }
    this.#held = [];
    await this.#transcript.restore(snapshot);
    if (this.#connection.isReady) this.#setBanner("");
    if (this.#isLeaving) this.#transcript.questions.removeCommand("/retry");
    this.#isLeaving = false;
    this.#versions.end();
    this.approvals.reset();
    this.#delivery.sendWaiting();
    this.#showBusy();
    this.#release();
  }

  /** @param {{message_id: string, content: string, client_id?: string}} data */
  addMessage(data) {
    const { composer, editors } = this.#controls;
    this.#root.querySelector("#welcome")?.remove();
    this.#delivery.settle(data.client_id);
    showOpening(data.content);
    const edited = editors.messageOf(data.client_id);
    if (edited) this.#transcript.removeFrom(edited);
    this.#transcript.questions.confirm(data, this.#transcript.isBusy);
    if (edited) composer.focus(); // the focused element is gone
    this.#showBusy();
    refreshSidebar();
    tellOtherTabs();
  }

  /** @param {string} content */
  append(content) {
    if (this.#transcript.live) this.#transcript.live.append(content);
    else this.#connection.resume(); // this page missed the beginning of the answer
  }

  /** @param {{message_id: string, index: number, html: string, end: number}} block */
  addBlock(block) {
    if (this.#transcript.live?.id === block.message_id) this.#transcript.live.addBlock(block);
  }

  /** @param {{message_id: string, status: string, note?: string, since?: string}} data */
  showStatus({ message_id, status, note, since }) {
    this.#transcript.begin(message_id).showStatus(status, note, since);
    this.#showBusy();
  }

  /** @param {import("../wire/frames.js").Call} call */
  addCall(call) {
    this.#transcript.live?.addCall(call);
  }

  /** @param {{call_id: string, content: string, is_error: boolean, truncated?: boolean}} data */
  addResult(data) {
    this.#transcript.live?.addResult(data);
  }

  /** @param {string} content */
  addReasoning(content) {
    this.#transcript.live?.addReasoning(content);
  }

  /** The current branch changed: ask for a snapshot of the new one. */
  leaveBranch() {
    this.#isLeaving = true;
    this.#connection.resume();
  }

  /** @param {Frame} frame */
  addReply({ content, html, outcome }) {
    this.#outcome = outcome;
    const shown = drawReply(content, html);
    this.#messages.append(shown);
    announce(shown.innerText);
  }

  /** @param {Frame} frame */
  showError(frame) {
    if (frame.seq !== undefined) return this.#transcript.live?.fail(frame.content, frame.details);
    if (this.approvals.refuse(frame)) return;
    if (frame.code === "session_not_found") return this.#markDeleted();
    this.#refusal = frame.content;
    this.#versions.end();
    // an error that belongs to no message has no `done`
    setTimeout(() => this.#complain(), DONE_WITHIN);
  }

  /** @param {Frame} frame */
  finish({ message_id, status, client_id, seq }) {
    const { questions } = this.#transcript;
    if (message_id || status !== "failed") this.#delivery.settle(client_id);
    if (message_id) {
      const isWithdrawn = seq === undefined && status === "cancelled" && questions.isWaiting(client_id);
      if (isWithdrawn) this.#controls.onWithdrawn(client_id);
      else this.#settle(message_id, status);
    } else if (status !== "failed") {
      this.#followUp(questions.finishCommand(client_id));
    } else if (client_id) {
      this.#controls.onRefused(client_id, this.#takeRefusal() || "This message was refused.");
    } else {
      this.#complain();
    }
    this.#showBusy();
  }

  /** Apply a command's effect on the page. @param {string} command */
  #followUp(command) {
    const [, name, argument] = /^(\S*)\s*(.*)$/s.exec(command) ?? [];
    if (this.#outcome === "unknown_command") this.#controls.composer.restore(command);
    if (/^\/new$/i.test(name) && !argument) location.assign("/");
    if (argument && this.#outcome === "model_chosen") this.#model.choose(argument.trim());
  }

  #complain() {
    if (this.#refusal) this.#controls.composer.complain(this.#takeRefusal());
  }

  #takeRefusal() {
    const refusal = this.#refusal;
    this.#refusal = "";
    return refusal;
  }

  /** @param {string} messageId @param {string} status */
  async #settle(messageId, status) {
    this.#controls.composer.reset(); // the next answer can be stopped too
    const element = await this.#transcript.settle(messageId, status);
    this.approvals.update();
    if (!element) return;
    announceAnswer(element);
    showAnswered();
  }

  /** @param {string} session @param {string} title */
  retitle(session, title) {
    if (session === this.#connection.session) showTitle(title);
    retitleChat(session, title);
  }

  /** @param {string} session */
  remove(session) {
    if (session === this.#connection.session) this.#markDeleted();
    removeChat(session);
  }

  // --- around the messages --------------------------------------------------------------------

  #markDeleted() {
    this.#connection.close();
    this.#controls.composer.close();
    this.#root.dataset.gone = ""; // hides its buttons
    this.#setBanner("This chat was deleted. You can still read it until you leave this page.");
  }

  #showBusy() {
    const { isBusy } = this.#transcript;
    this.#controls.composer.isBusy = isBusy;
    this.#messages.toggleAttribute("data-busy", isBusy);
  }
}
