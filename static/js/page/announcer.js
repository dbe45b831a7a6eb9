// @ts-check
/** What the page shows around the messages: the list of chats, what a reader is told. */

const ANNOUNCED = 1000;

export function sidebarChanged() {
  document.body.dispatchEvent(new Event("sidebar-changed"));
}

/** Let a screen reader say an answer, without its reasoning and its details; how it ended comes
 * before its text, which may be cut. @param {HTMLElement} message */
export function announce(message) {
  const said = ["h2", ".note", ".body", ".remark", ".wall"].flatMap((name) => [
    .../** @type {NodeListOf<HTMLElement>} */ (message.querySelectorAll(name)),
  ]);
  const text = said.map(({ innerText }) => innerText.trim()).join(" ");
  tell(text.slice(0, ANNOUNCED));
}

/** @param {string} text */
export function tell(text) {
  const announcer = document.querySelector("#announcer");
  if (announcer) announcer.textContent = text;
}
