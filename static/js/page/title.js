// @ts-check
/** The page's title, in its heading and in the row of tabs, with a mark for who is elsewhere. */

const WAITING = "● Approval needed · ";
const ANSWERED = "✓ ";

/** Of the first message, as the server cuts it. */
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

/** A title until there is a better one: the beginning of what was said first.
 * @param {string} text */
export function showOpening(text) {
  const letters = Array.from(text.trim().replace(/\s+/g, " "));
  const isLong = letters.length > OPENING_WORDS;
  const cut = letters.slice(0, OPENING_WORDS - 1).join("").trimEnd();
  if (!isTitled) showTitle(isLong ? `${cut}…` : letters.join(""));
}

/** Something waits for a person's word. @param {boolean} waits */
export function showWaiting(waits) {
  isWaiting = waits;
  show();
}

/** What the list of chats says of the others. @param {boolean} waits */
export function showWaitingElsewhere(waits) {
  isWaitingElsewhere = waits;
  show();
}

/** An answer is over: marked until it is seen, where this tab is not. */
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
