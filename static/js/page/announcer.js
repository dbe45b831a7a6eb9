// @ts-check
/** Announcements for screen readers. */

const MAX_LENGTH = 1000;

/** Announce an answer without its reasoning and details. Its outcome comes before its text, which
 * may be cut. @param {HTMLElement} message */
export function announceAnswer(message) {
  const parts = ["h2", ".note", ".body", ".remark", ".wall"].flatMap((name) => [
    .../** @type {NodeListOf<HTMLElement>} */ (message.querySelectorAll(name)),
  ]);
  const text = parts.map(({ innerText }) => innerText.trim()).join(" ");
  announce(text.slice(0, MAX_LENGTH));
}

/** @param {string} text */
export function announce(text) {
  const announcer = document.querySelector("#announcer");
  if (announcer) announcer.textContent = text;
}
