// @ts-check
/** The page's title, in its heading and on the browser's tab, with a mark for a reader elsewhere. */

const WAITING = "● Approval needed · ";
const ANSWERED = "✓ ";

/** Characters of the first message, as the server cuts it. */
const OPENING_WORDS = 60;

let isTitled = false;
let isWaiting = false;
let isWaitingElsewhere = false;
let isUnseen = false;
let bare = document.title;

/** @param {string} title */
export function showTitle(title) {
  const heading = document.querySelector("#title");
  if (heading) heading.textContent = title;
  bare = `${title} · Talos`;
  isTitled = true;
  show();
}

/** Show the beginning of the first message until there is a title.
 * @param {string} text */
export function showOpening(text) {
  const letters = Array.from(text.trim().replace(/\s+/g, " "));
  const isLong = letters.length > OPENING_WORDS;
  const cut = letters.slice(0, OPENING_WORDS - 1).join("").trimEnd();
  if (!isTitled) showTitle(isLong ? `${cut}…` : letters.join(""));
}

/** Mark the title while a call in this chat needs approval. @param {boolean} waits */
export function showWaiting(waits) {
  isWaiting = waits;
  show();
}

/** Mark the title while another chat needs approval. @param {boolean} waits */
export function showWaitingElsewhere(waits) {
  isWaitingElsewhere = waits;
  show();
}

/** Mark a finished answer, until this tab is visible. */
export function showAnswered() {
  isUnseen = document.visibilityState === "hidden";
  show();
}

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") isUnseen = false;
  show();
});

function show() {
  document.title = (isWaiting || isWaitingElsewhere ? WAITING : isUnseen ? ANSWERED : "") + bare;
}
