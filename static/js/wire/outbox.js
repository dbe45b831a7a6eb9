// @ts-check
/**
 * Messages that the server has not confirmed. They are kept in the tab's storage, so that neither a lost
 * connection nor a reload loses them; the `client_id` makes sending one twice harmless. A refused
 * message stays, with the reason, until it is edited.
 *
 * @typedef {{client_id: string, text: string, session: string | null, model?: string, refusal?: string}} Unsent
 */

const KEY = "talos-outbox";

export class Outbox {
  /** @param {() => string | null} session the conversation of this page */
  constructor(session) {
    this.session = session;
  }

  /** Unconfirmed messages of this page's conversation, oldest first. @returns {Unsent[]} */
  get waiting() {
    return this.#mine.filter(({ refusal }) => !refusal);
  }

  /** Messages that the server refused. @returns {Unsent[]} */
  get refused() {
    return this.#mine.filter(({ refusal }) => refusal);
  }

  get #mine() {
    return read().filter((entry) => entry.session === this.session());
  }

  /** @param {string} text @param {string} [model] of a new conversation
   * @returns {Unsent} */
  add(text, model) {
    const session = this.session();
    const entry = { client_id: newId(), text, session, model: session ? undefined : model };
    write([...read(), entry]);
    return entry;
  }

  /** Whether the server has neither confirmed nor refused it. @param {string | undefined} clientId */
  isOpen(clientId) {
    return read().some(({ client_id, refusal }) => client_id === clientId && !refusal);
  }

  /** Forget a message: the server has it, or it is being edited again. @param {string | undefined} clientId */
  settle(clientId) {
    const [all, left] = [read(), read().filter(({ client_id }) => client_id !== clientId)];
    if (left.length < all.length) write(left);
  }

  /** @param {string} clientId @param {string} refusal why */
  refuse(clientId, refusal) {
    write(read().map((entry) => (entry.client_id === clientId ? { ...entry, refusal } : entry)));
  }

  /** Assign the messages of a new page to the conversation they began. @param {string} session */
  adopt(session) {
    write(read().map((entry) => (entry.session ? entry : { ...entry, session })));
  }
}

/** A random id. Unlike `crypto.randomUUID`, this also works on a page served over plain HTTP. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @type {Unsent[]} Used when the browser forbids storage. */
let kept = [];

/** @returns {Unsent[]} */
function read() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? "[]");
  } catch {
    return kept;
  }
}

/** @param {Unsent[]} entries */
function write(entries) {
  kept = entries;
  try {
    sessionStorage.setItem(KEY, JSON.stringify(entries));
  } catch {
    // full or forbidden: only this page remembers
  }
}
