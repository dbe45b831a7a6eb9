// @ts-check
/**
 * The connection: opens, reconnects automatically, and keeps its place in the conversation.
 *
 * Numbered frames arrive here exactly once and in order; after a gap, or a new connection, a
 * snapshot (`session_created`) comes first. It knows frames, not the page.
 */

/** What the page says when an action cannot be sent. */
export const NOT_CONNECTED = "Not connected. Please try again in a moment.";

const RETRY_AFTER = 3000;
const JITTER = 1000;
/** Close codes after which a retry is pointless: the client itself has to change first. */
const FINAL = new Set([4401, 4403, 4404]);

/**
 * @typedef {import("./frames.js").Frame} Frame
 * @typedef {object} Listener
 * @property {(frame: Frame) => void} onFrame
 * @property {(isAgain: boolean) => void} onOpen `isAgain`: frames sent during the loss were missed
 * @property {(isFinal: boolean) => void} onLost
 */

export class Connection {
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {number | undefined} */
  #retry;
  #seq = 0;
  #isResuming = false;
  #wasLost = false;
  #listener;

  /** @param {Listener} listener */
  constructor(listener) {
    this.#listener = listener;
    /** The conversation that this connection subscribes to. @type {string | null} */
    this.session = null;
    addEventListener("online", () => this.#retryNow());
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Whether it is open and subscribed, so that an action refers to the messages shown. */
  get isReady() {
    return this.isOpen && !this.#isResuming;
  }

  open() {
    const url = new URL("/api/chat/ws", location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(url);
    this.#socket = socket;
    socket.onopen = () => {
      if (this.session) this.resume();
      this.#listener.onOpen(this.#wasLost);
    };
    socket.onmessage = ({ data }) => this.#receive(JSON.parse(data));
    socket.onclose = ({ code }) => this.#onClose(socket, code);
  }

  /** Replace this connection, which seems to be dead. */
  reopen() {
    const socket = this.#socket;
    if (!socket) return;
    socket.close();
    this.#onClose(socket, 1006);
    this.#retryNow();
  }

  /** Close without reconnecting. */
  close() {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  /** Whether the action was sent. @param {object} action */
  send(action) {
    if (this.isOpen) this.#socket?.send(JSON.stringify(action));
    return this.isOpen;
  }

  /** Ask for a snapshot, which includes all earlier numbered frames. */
  resume() {
    this.#isResuming = true;
    this.send({ action: "resume_session", session_id: this.session, context: "full", render: true });
  }

  /** @param {Frame} frame */
  #receive(frame) {
    if (frame.type === "event" && frame.event === "session_created") {
      this.session = frame.data.session_id;
      this.#seq = frame.data.seq;
      this.#isResuming = false;
    } else if (frame.seq !== undefined) {
      if (this.#isResuming || frame.seq <= this.#seq) return;
      if (frame.seq > this.#seq + 1) return this.resume();
      this.#seq = frame.seq;
    } else if (this.#isResuming) {
      if (frame.event === "reasoning") return; // unnumbered, and in the snapshot too
      if (frame.type === "error") this.#onResumeRefused(frame.code);
    }
    this.#listener.onFrame(frame);
  }

  /** @param {string} code */
  #onResumeRefused(code) {
    if (code === "session_not_found") this.session = null;
    else setTimeout(() => this.#isResuming && this.resume(), RETRY_AFTER);
  }

  /** @param {WebSocket} socket @param {number} code */
  #onClose(socket, code) {
    if (socket !== this.#socket) return;
    this.#socket = null;
    this.#isResuming = false;
    this.#wasLost = true;
    const isFinal = FINAL.has(code);
    if (!isFinal) {
      this.#retry = setTimeout(() => this.#retryNow(), RETRY_AFTER + Math.random() * JITTER);
    }
    this.#listener.onLost(isFinal);
  }

  #retryNow() {
    if (this.#retry === undefined) return;
    clearTimeout(this.#retry);
    this.#retry = undefined;
    this.open();
  }
}
