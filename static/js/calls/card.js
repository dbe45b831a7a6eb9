// @ts-check
/** The card of a tool call: drawn from the page's template, or found in the server's rendering. */

import { draw } from "../page/drawing.js";

/** @typedef {import("../wire/frames.js").Call} Call */

/** As `chat/cards.py` says them. @type {Record<string, string>} */
const STATES = {
  pending: "waits for your approval",
  approved: "approved",
  running: "running…",
  finished: "done",
  failed: "did not work",
  denied: "denied",
  unknown: "may or may not have run",
};

/** As `chat/cards.py` has it, in code points. */
const GIST = 120;

/** @param {Call} call of a frame, which has no status, or of a snapshot
 * @param {string} messageId */
export function drawCall(call, messageId) {
  const card = draw("#new-call");
  card.dataset.callId = call.call_id;
  card.dataset.name = call.name;
  for (const name of card.querySelectorAll(".name")) name.textContent = call.name;
  showArguments(card, call.edited_arguments ?? call.arguments);
  const text = card.querySelector("textarea");
  if (text && !call.truncated) text.value = asJson(call.arguments);
  if (isAskedEachTime(call.name)) card.querySelector(".remember")?.remove();
  set(card, ".took", duration(call.seconds));
  setStatus(card, call.status ?? "running");
  if (call.status === "pending") open(card);
  if (call.truncated) showCut(card, messageId);
  if (call.content !== undefined && call.content !== null) set(card, ".result", call.content);
  return card;
}

/** @param {HTMLElement} card @param {object} given each argument with its name, a text as it is */
export function showArguments(card, given) {
  const rows = Object.entries(given).map(([name, value]) => {
    const row = document.createElement("div");
    const term = document.createElement("dt");
    const text = document.createElement("pre");
    const description = document.createElement("dd");
    term.textContent = plainly(name);
    text.textContent = plainly(typeof value === "string" ? value : asJson(value));
    Object.assign(text, { tabIndex: 0, role: "group", ariaLabel: name, dir: "auto" });
    description.append(text);
    row.append(term, description);
    return row;
  });
  card.querySelector(".arguments")?.replaceChildren(...rows);
  const gist = rows[0]?.querySelector("pre")?.textContent?.trim().split("\n", 1)[0] ?? "";
  set(card, ".gist", [...gist].slice(0, GIST).join(""));
}

/** @param {HTMLElement} card @param {string} status */
export function setStatus(card, status) {
  card.dataset.status = status;
  set(card, ".state", STATES[status] ?? status);
  card.querySelector(".details")?.setAttribute("aria-label", said(card));
  if (status !== "running") set(card, ".working", "");
}

/** What is to be said of a card in a few words. @param {HTMLElement} card */
export function said(card) {
  return `${card.dataset.name} ${STATES[card.dataset.status ?? ""] ?? ""}`;
}

/** The names of the tools that run in here. @param {HTMLElement} root */
export function running(root) {
  const cards = root.querySelectorAll('.call[data-status="running"]');
  return [.../** @type {NodeListOf<HTMLElement>} */ (cards)].map(({ dataset }) => dataset.name ?? "");
}

/** @param {HTMLElement} card @param {string} content @param {boolean} isError */
export function setResult(card, content, isError) {
  const wasDenied = card.dataset.status === "denied";
  if (!wasDenied) setStatus(card, isError ? "failed" : "finished");
  set(card, ".result", content);
  // what opened by itself folds by itself
  if (card.dataset.asked !== undefined) card.removeAttribute("open");
}

/** Say that only a part is shown, with the way to the whole.
 * @param {HTMLElement} card @param {string} messageId */
export function showCut(card, messageId) {
  const more = /** @type {HTMLElement} */ (draw("#new-call").querySelector(".more"));
  const call = encodeURIComponent(card.dataset.callId ?? "");
  more.querySelector("a")?.setAttribute("href", `messages/${messageId}/source/?call=${call}`);
  more.hidden = false;
  card.querySelector(".more")?.remove();
  card.querySelector(".decision, .result")?.before(more);
}

/** @param {HTMLElement} card @param {string} content */
export function setProgress(card, content) {
  setStatus(card, "running");
  set(card, ".working", content);
}

/** @param {HTMLElement} card */
export function open(card) {
  card.setAttribute("open", "");
  card.dataset.asked = "";
}

/** @param {number | undefined} seconds */
function duration(seconds) {
  if (seconds === undefined) return "";
  return seconds < 0.1 ? "< 0.1 s" : `${seconds.toFixed(1)} s`;
}

/** Without characters that reorder what is read: nobody shall approve something else than what runs.
 * @param {string} text */
export function plainly(text) {
  return text.replace(/[\u202a-\u202e\u2066-\u2069]/g, (found) => `\\u${found.charCodeAt(0).toString(16)}`);
}

/** @param {unknown} value */
function asJson(value) {
  return JSON.stringify(value, null, 2);
}

/** @param {string} name */
function isAskedEachTime(name) {
  const template = /** @type {HTMLElement} */ (document.querySelector("#new-call"));
  return (template.dataset.askedEachTime ?? "").split(" ").includes(name);
}

/** @param {Element} element @param {string} selector @param {string} text */
function set(element, selector, text) {
  const found = element.querySelector(selector);
  if (found) found.textContent = text;
}
