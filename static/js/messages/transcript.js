// @ts-check
/**
 * The messages on the page. A finished one is always the server's own rendering; what is drawn
 * here (from the same template) is what has no rendering yet: a question on its way, the answer
 * that is being written.
 *
 * @typedef {import("../wire/frames.js").Message} Message
 * @typedef {import("../wire/frames.js").Snapshot} Snapshot
 */

import { Answer } from "./answer.js";
import { draw } from "../page/drawing.js";
import { htmx } from "../page/htmx.js";
import { byId, stored } from "./find.js";
import { drawn, Questions, unwait } from "./questions.js";
import { become, fetchMessages, fetchSource } from "./renderings.js";

const UNFINISHED = new Set(["queued", "running", "waiting"]);

export class Transcript {
  /** The answer that is being written. @type {Answer | null} */
  live = null;
  #root;
  #session;

  /** @param {HTMLElement} root @param {() => string | null} session */
  constructor(root, session) {
    this.#root = root;
    this.#session = session;
    this.questions = new Questions(root);
  }

  /** An answer is being written, or about to be. */
  get isBusy() {
    return this.live !== null || this.questions.isAnyWaiting;
  }

  /** A question takes the place of another version of it, and of all that came after that one.
   * @param {HTMLElement} old */
  leave(old) {
    const all = [...this.#root.children];
    for (const element of all.slice(all.indexOf(old))) {
      if (!element.matches("[data-sending]")) element.remove();
    }
  }

  /** The answer with this id is being written. @param {string} id */
  begin(id) {
    if (this.live?.id === id) return this.live;
    const found = byId(this.#root, id);
    const question = found
      ? found.previousElementSibling
      : (this.questions.first ?? stored(this.#root).at(-1));
    const element = found ?? draw("#new-answer");
    element.dataset.id = id;
    if (!found) question ? question.after(element) : this.#root.append(element);
    unwait(question ?? null);
    this.live = new Answer(element);
    return this.live;
  }

  /** The answer is over: the server's rendering takes the streamed text's place.
   * @param {string} id @param {string} status @returns {Promise<HTMLElement | null>} */
  async settle(id, status) {
    // it may have failed before it began
    if (!byId(this.#root, id) && this.questions.isAnyWaiting) this.begin(id);
    const element = byId(this.#root, id);
    // a repeated `done` has nothing new
    if (!element || (element.dataset.status === status && element.dataset.stale === undefined)) return null;
    if (this.live?.id === id) this.#end();
    element.dataset.status = status;
    element.dataset.stale = "";
    unwait(element.previousElementSibling);
    const fresh = await this.#fetch([id]);
    return this.#renew(id, fresh) ?? null;
  }

  #end() {
    this.live?.end();
    this.live = null;
  }

  // --- snapshots ------------------------------------------------------------------------------

  /** Show what the snapshot says. @param {Snapshot} snapshot */
  async restore({ messages, turn }) {
    const known = stored(this.#root);
    const stale = messages.filter((message) => this.#isStale(message)).map(({ id }) => id);
    const joins = !known.length || this.#joins(known, messages);
    const fresh = joins ? stale.length && (await this.#fetch(stale)) : await this.#fetch([]);
    const live = turn && (await this.#whole(turn));
    if (this.live?.id !== turn?.message_id) this.#end();
    if (!joins) this.#begin(fresh || null);
    this.#drop(known, messages);
    known.forEach(unwait);
    /** @type {HTMLElement | null} */
    let before = null;
    for (const message of messages) before = this.#show(message, fresh || null, before);
    if (live) this.begin(live.message_id).catchUp(live);
    this.questions.markWaiting(turn !== null);
  }

  /** A text that is too long for a snapshot goes on with what comes: all before that is asked for.
   * @param {import("../wire/frames.js").Turn} turn */
  async #whole(turn) {
    const session = this.#session();
    if (turn.length === undefined || !session) return turn;
    const text = await fetchSource(session, turn.message_id).catch(() => turn.content);
    return { ...turn, content: Array.from(text).slice(0, turn.length).join("") };
  }

  /** There is no rendering of it here, or one of another state. @param {Message} message */
  #isStale({ id, role, status, siblings, versions: count = siblings.length, truncated }) {
    if (UNFINISHED.has(status)) return false;
    const element = byId(this.#root, id);
    const versions = Number(element?.dataset.versions ?? 1);
    if (!element) return role === "assistant" || count > 1 || Boolean(truncated);
    const { dataset } = element;
    return dataset.stale !== undefined || dataset.status !== status || versions !== count;
  }

  /** Another stretch of messages than the one that is here. @param {HTMLElement | null} fresh */
  #begin(fresh) {
    this.#root.replaceChildren(...(fresh?.childNodes ?? []), ...this.#root.querySelectorAll("[data-sending]"));
    htmx.process(this.#root);
  }

  /** What the snapshot begins with goes on from what is here.
   * @param {HTMLElement[]} known @param {Message[]} messages */
  #joins(known, [first]) {
    if (!first) return false;
    return first.parent_id === null || byId(this.#root, first.parent_id) || known[0].dataset.id === first.id;
  }

  /** Questions that were taken back and branches that were left are no more.
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
    if (old.dataset.waiting === undefined) unwait(rendering);
    become(old, rendering);
    return old;
  }
}

/** A message by hand, until there is a rendering. @param {Message} message */
function sketch({ id, role, content, tool_calls, reasoning, status }) {
  const element = role === "user" ? drawn(content) : draw("#new-answer");
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
