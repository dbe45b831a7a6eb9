// @ts-check
/**
 * What was said and not yet heard by the server. Kept in the tab's storage, so that neither a lost
 * connection nor a reload loses it; the `client_id` makes saying it twice harmless.
 *
 * @typedef {{client_id: string, text: string, session: string | null, model?: string}} Unsent
 */

const KEY = "talos-outbox";

export class Outbox {
  /** @param {() => string | null} session the conversation of this page */
  constructor(session) {
    this.session = session;
  }

  /** What waits in this page's conversation, oldest first. @returns {Unsent[]} */
  get waiting() {
    return read().filter((entry) => entry.session === this.session());
  }

  /** @param {string} text @param {string} [model] that a conversation begins with
   * @returns {Unsent} */
  add(text, model) {
    const session = this.session();
    const entry = { client_id: newId(), text, session, model: session ? undefined : model };
    write([...read(), entry]);
    return entry;
  }

  /** @param {string | undefined} clientId */
  has(clientId) {
    return read().some((entry) => entry.client_id === clientId);
  }

  /** The server has it, or refused it. @param {string | undefined} clientId */
  settle(clientId) {
    if (this.has(clientId)) write(read().filter((entry) => entry.client_id !== clientId));
  }

  /** What began a conversation belongs to it from now on. @param {string} session */
  adopt(session) {
    write(read().map((entry) => (entry.session ? entry : { ...entry, session })));
  }
}

/** Unlike `crypto.randomUUID`, also there on a page that came over plain HTTP. */
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
    // full or forbidden: then only this page remembers
  }
}
