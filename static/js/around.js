// @ts-check
/** What the page shows around the messages: the list of chats, what a reader is told. */

const ANNOUNCED = 1000;

export function sidebarChanged() {
  document.body.dispatchEvent(new Event("sidebar-changed"));
}

/** Let a screen reader say an answer, without its reasoning and its details.
 * @param {HTMLElement} message */
export function announce(message) {
  const said = /** @type {NodeListOf<HTMLElement>} */ (message.querySelectorAll("h2, .body, .note"));
  const text = Array.from(said, ({ innerText }) => innerText.trim()).join(" ");
  tell(text.slice(0, ANNOUNCED));
}

/** @param {string} text */
export function tell(text) {
  const announcer = document.querySelector("#announcer");
  if (announcer) announcer.textContent = text;
}
