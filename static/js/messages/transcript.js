// @ts-check
/**
 * The messages on the page. A finished message is always the server's rendering. Drawn here, from the
 * same template, are messages without one: a question being sent, the answer being written.
 *
 * @typedef {import("../wire/frames.js").Message} Message
 * @typedef {import("../wire/frames.js").Snapshot} Snapshot
 */

import { draw } from "../page/drawing.js";
import { htmx } from "../page/htmx.js";
import { Answer } from "./answer.js";
import { byId, stored } from "./find.js";
import { clearWaiting, drawQuestion, Questions } from "./questions.js";
import { fetchMessages, fetchSource, renew } from "./renderings.js";

const UNFINISHED = new Set(["queued", "running", "waiting"]);

export class Transcript {
  /** The answer being written. @type {Answer | null} */
  live = null;
  #root;
  #session;

  /** @param {HTMLElement} root @param {() => string | null} session */
  constructor(root, session) {
    this.#root = root;
    this.#session = session;
    this.questions = new Questions(root);
  }

  /** Whether an answer is being written or about to be. */
  get isBusy() {
    return this.live !== null || this.questions.isAnyWaiting;
  }

  /** Remove a message and all that follow it: a new version takes their place.
   * @param {HTMLElement} old */
  removeFrom(old) {
    const all = [...this.#root.children];
    for (const element of all.slice(all.indexOf(old))) {
      if (!element.matches("[data-sending]")) element.remove();
    }
  }

  /** Begin to write the answer with this id, unless it is being written. @param {string} id */
  begin(id) {
    if (this.live?.id === id) return this.live;
    const found = byId(this.#root, id);
    const question = found
      ? found.previousElementSibling
      : (this.questions.first ?? stored(this.#root).at(-1));
    const element = found ?? draw("#new-answer");
    element.dataset.id = id;
    if (!found) question ? question.after(element) : this.#root.append(element);
    clearWaiting(question ?? null);
    this.live = new Answer(element);
    return this.live;
  }

  /** Finish an answer: replace the streamed text by the server's rendering.
   * @param {string} id @param {string} status @returns {Promise<HTMLElement | null>} */
  async settle(id, status) {
    // it may have failed before it began
    if (!byId(this.#root, id) && this.questions.isAnyWaiting) this.begin(id);
    const element = byId(this.#root, id);
    // a repeated `done` changes nothing
    if (!element || (element.dataset.status === status && element.dataset.stale === undefined)) return null;
    if (this.live?.id === id) this.#end();
    element.dataset.status = status;
    element.dataset.stale = "";
    clearWaiting(element.previousElementSibling);
    const fresh = await this.#fetch([id]);
    return this.#renew(id, fresh) ?? null;
  }

  #end() {
    this.live?.end();
    this.live = null;
  }

  // --- snapshots ------------------------------------------------------------------------------

  /** Show a snapshot. @param {Snapshot} snapshot */
  async restore({ messages, turn }) {
    const known = stored(this.#root);
    const stale = messages.filter((message) => this.#isStale(message)).map(({ id }) => id);
    const isContinued = !known.length || this.#isContinuation(known, messages);
    const fresh = isContinued ? stale.length && (await this.#fetch(stale)) : await this.#fetch([]);
    const live = turn && (await this.#complete(turn));
    if (this.live?.id !== turn?.message_id) this.#end();
    if (!isContinued) this.#replaceAll(fresh || null);
    this.#drop(known, messages);
    known.forEach(clearWaiting);
    /** @type {HTMLElement | null} */
    let before = null;
    for (const message of messages) before = this.#show(message, fresh || null, before);
    if (live) this.begin(live.message_id).catchUp(live);
    this.questions.markWaiting(turn !== null);
  }

  /** Fetch the beginning of a text that is too long for a snapshot.
   * @param {import("../wire/frames.js").Turn} turn */
  async #complete(turn) {
    const session = this.#session();
    if (turn.length === undefined || !session) return turn;
    const text = await fetchSource(session, turn.message_id).catch(() => turn.content);
    return { ...turn, content: Array.from(text).slice(0, turn.length).join("") };
  }

  /** Whether its rendering is missing or out of date. @param {Message} message */
  #isStale({ id, role, status, siblings, versions: count = siblings.length, truncated }) {
    if (UNFINISHED.has(status)) return false;
    const element = byId(this.#root, id);
    const versions = Number(element?.dataset.versions ?? 1);
    if (!element) return role === "assistant" || count > 1 || Boolean(truncated);
    const { dataset } = element;
    return dataset.stale !== undefined || dataset.status !== status || versions !== count;
  }

  /** Show another stretch of messages. @param {HTMLElement | null} fresh */
  #replaceAll(fresh) {
    this.#root.replaceChildren(...(fresh?.childNodes ?? []), ...this.#root.querySelectorAll("[data-sending]"));
    htmx.process(this.#root);
  }

  /** Whether the snapshot continues the messages shown.
   * @param {HTMLElement[]} known @param {Message[]} messages */
  #isContinuation(known, [first]) {
    if (!first) return false;
    return first.parent_id === null || byId(this.#root, first.parent_id) || known[0].dataset.id === first.id;
  }

  /** Remove withdrawn questions and branches no longer current.
   * @param {HTMLElement[]} known @param {Message[]} messages */
  #drop(known, messages) {
    const ids = new Set(messages.map(({ id }) => id));
    const parent = known.findIndex(({ dataset }) => dataset.id === messages[0]?.parent_id);
    if (messages[0]?.parent_id === null) this.#root.querySelector(".stretch")?.remove();
    for (const element of known.slice(parent + 1)) {
      if (ids.has(element.dataset.id ?? "")) continue;
      const isFocused = element.contains(document.activeElement);
      element.remove();
      if (isFocused) this.#root.closest("main")?.focus({ preventScroll: true });
    }
  }

  /** @param {Message} message @param {HTMLElement | null} fresh @param {HTMLElement | null} before */
  #show(message, fresh, before) {
    const { id, status } = message;
    const isStale = this.#isStale(message);
    let element = byId(this.#root, id);
    if (!element) {
      element = (isStale && fresh && byId(fresh, id)) || sketch(message);
      if (before) before.after(element);
      else this.#root.prepend(element);
    } else if (isStale) {
      this.#renew(id, fresh);
    }
    if (status === "queued") element.dataset.status = status;
    element.hidden = status === "queued";
    return element;
  }

  /** @param {string[]} ids */
  async #fetch(ids) {
    const session = this.#session();
    return session ? fetchMessages(session, ids) : null;
  }

  /** @param {string} id @param {HTMLElement | null} fresh */
  #renew(id, fresh) {
    const [old, rendering] = [byId(this.#root, id), fresh && byId(fresh, id)];
    if (!old || old === this.live?.element) return;
    if (!rendering) return old.querySelector(".progress")?.remove(); // until the next snapshot
    if (old.dataset.waiting === undefined) clearWaiting(rendering);
    renew(old, rendering);
    return old;
  }
}

/** Draw a message that has no rendering yet. @param {Message} message */
function sketch({ id, role, content, tool_calls, reasoning, status }) {
  const element = role === "user" ? drawQuestion(content) : draw("#new-answer");
  element.dataset.id = id;
  if (role === "user") return element;
  const isOver = !UNFINISHED.has(status);
  if (isOver) {
    new Answer(element).catchUp({ message_id: id, content, tool_calls, reasoning, status });
    element.querySelector(".progress")?.remove();
    element.dataset.stale = "";
  }
  element.dataset.status = status;
  return element;
}
