// @ts-check
/** The card of a tool call, drawn from the page's template or found in the server's rendering. */

import { draw } from "../page/drawing.js";

/** @typedef {import("../wire/frames.js").Call} Call */

/** Code points, the same as in `chat/display/cards.py`. */
const GIST = 120;

/** @param {Call} call from a frame, which has no status, or from a snapshot
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
  setText(card, ".took", duration(call.seconds));
  setStatus(card, call.status ?? "running");
  if (call.status === "pending") unfold(card);
  if (call.truncated) showCut(card, messageId);
  if (call.content !== undefined && call.content !== null) setText(card, ".result", call.content);
  return card;
}

/** @param {HTMLElement} card @param {object} given arguments by name; strings are shown unquoted */
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
  setText(card, ".gist", [...gist].slice(0, GIST).join(""));
}

/** @param {HTMLElement} card @param {string} status */
export function setStatus(card, status) {
  card.dataset.status = status;
  setText(card, ".state", stateText(status));
  card.querySelector(".details")?.setAttribute("aria-label", describe(card));
  if (status !== "running") setText(card, ".working", "");
}

/** A card's tool and state, for a screen reader. @param {HTMLElement} card */
export function describe(card) {
  return `${card.dataset.name} ${stateText(card.dataset.status ?? "")}`;
}

/** The names of the running tools. @param {HTMLElement} root */
export function runningTools(root) {
  const cards = root.querySelectorAll('.call[data-status="running"]');
  return [.../** @type {NodeListOf<HTMLElement>} */ (cards)].map(({ dataset }) => dataset.name ?? "");
}

/** @param {HTMLElement} card @param {string} content @param {boolean} isError */
export function setResult(card, content, isError) {
  const wasDenied = card.dataset.status === "denied";
  if (!wasDenied) setStatus(card, isError ? "failed" : "finished");
  setText(card, ".result", content);
  // a card that opened automatically folds automatically
  if (card.dataset.asked !== undefined) card.removeAttribute("open");
}

/** Say that only part is shown, with a link to the whole.
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
  setText(card, ".working", content);
}

/** @param {HTMLElement} card */
export function unfold(card) {
  card.setAttribute("open", "");
  card.dataset.asked = "";
}

/** @param {number | undefined} seconds */
function duration(seconds) {
  if (seconds === undefined) return "";
  return seconds < 0.1 ? "< 0.1 s" : `${seconds.toFixed(1)} s`;
}

/** Escape characters that reorder text, so that the call approved is the call run.
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
  return (template().askedEachTime ?? "").split(" ").includes(name);
}

/** A call's state in words, as the server gave them. @param {string} status */
function stateText(status) {
  return JSON.parse(template().states ?? "{}")[status] ?? status;
}

function template() {
  return /** @type {HTMLElement} */ (document.querySelector("#new-call")).dataset;
}

/** @param {Element} element @param {string} selector @param {string} text */
function setText(element, selector, text) {
  const found = element.querySelector(selector);
  if (found) found.textContent = text;
}
