// @ts-check
/** Switches between versions of a message, keeping the reader's place and focus. */

import { byId } from "./find.js";

export class VersionSwitch {
  #messages;
  #scroll;
  /** @type {{id: string, top: number, label: string | null} | null} */
  #begun = null;

  /** @param {HTMLElement} messages @param {import("../chat/scroll.js").Scroll} scroll */
  constructor(messages, scroll) {
    this.#messages = messages;
    this.#scroll = scroll;
  }

  /** @param {HTMLElement} message @param {string} id of the other version */
  begin(message, id) {
    const label = document.activeElement?.getAttribute("aria-label") ?? null;
    this.#begun = { id, top: message.getBoundingClientRect().top, label };
  }

  /** The other version arrived, or was refused. */
  end() {
    const begun = this.#begun;
    const message = begun && byId(this.#messages, begun.id);
    this.#begun = null;
    if (!message) return;
    this.#scroll.by(message.getBoundingClientRect().top - begun.top);
    const buttons = /** @type {HTMLButtonElement[]} */ ([...message.querySelectorAll(".versions button:enabled")]);
    const same = buttons.find(({ ariaLabel }) => ariaLabel === begun.label);
    (same ?? buttons[0])?.focus({ preventScroll: true });
  }
}
