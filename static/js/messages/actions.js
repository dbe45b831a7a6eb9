// @ts-check
/** The buttons of a message: `data-do` names the action. */

import { announce } from "../page/announcer.js";
import { copy } from "../page/clipboard.js";
import { htmx } from "../page/htmx.js";
import { showMore } from "./show_more.js";

/** Milliseconds for which a button shows that it worked. */
const SHOWN_FOR = 2000;

/**
 * @typedef {object} Callbacks
 * @property {(action: object) => void} send
 * @property {(messageId: string) => Promise<string>} source of a message
 * @property {(message: HTMLElement) => void} edit
 * @property {() => void} stay keep the reader's place while content is added below
 * @property {(message: HTMLElement, button: HTMLButtonElement) => void} select
 * @property {(message: HTMLElement) => void} withdraw
 * @property {(message: HTMLElement) => void} restore
 * @property {(text: string) => void} complain
 */

export class Actions {
  #callbacks;

  /** @param {HTMLElement} root @param {Callbacks} callbacks */
  constructor(root, callbacks) {
    this.#callbacks = callbacks;
    root.addEventListener("click", (event) => {
      const { target } = event;
      const link = /** @type {Element} */ (target).closest("a[data-do=more]");
      if (link instanceof HTMLAnchorElement) return showMore(link, event, callbacks.stay);
      const button = /** @type {Element} */ (target).closest("button[data-do]");
      if (button instanceof HTMLButtonElement) this.#do(button);
    });
    document.body.addEventListener("model-again", (event) => {
      const { message_id, model } = /** @type {CustomEvent} */ (event).detail;
      callbacks.send({ action: "regenerate", message_id, model });
    });
  }

  /** @param {HTMLButtonElement} button */
  #do(button) {
    const callbacks = this.#callbacks;
    const message = /** @type {HTMLElement | null} */ (button.closest(".message"));
    if (button.dataset.do === "copy-code") return this.#copy(button, codeOf(button));
    if (!message) return;
    const message_id = message.dataset.id ?? "";
    /** @type {Record<string, () => void>} */
    const doings = {
      copy: () => this.#copy(button, this.#source(message)),
      edit: () => callbacks.edit(message),
      again: () => callbacks.send({ action: "regenerate", message_id }),
      "again-with": () => openModels(message_id),
      continue: () => callbacks.send({ action: "continue" }),
      select: () => callbacks.select(message, button),
      "take-back": () => callbacks.withdraw(message),
      "give-back": () => callbacks.restore(message),
      unfold: () => unfold(message, button),
    };
    doings[button.dataset.do ?? ""]?.();
  }

  /** @param {HTMLElement} message */
  #source(message) {
    const isCut = message.dataset.cut !== undefined;
    const text = isCut ? undefined : message.querySelector(".bubble")?.textContent;
    return text ?? this.#callbacks.source(message.dataset.id ?? "");
  }

  /** @param {HTMLButtonElement} button @param {string | Promise<string>} text */
  async #copy(button, text) {
    if (!(await copy(text))) return this.#callbacks.complain("The browser blocked copying.");
    announce("Copied");
    const use = button.querySelector("use");
    use?.setAttribute("href", "#icon-copied");
    setTimeout(() => use?.setAttribute("href", "#icon-copy"), SHOWN_FOR);
  }
}

/** @param {HTMLElement} button */
function codeOf(button) {
  return button.closest(".code")?.querySelector("pre")?.textContent ?? "";
}

/** Toggle between a long question and its beginning. @param {HTMLElement} message
 * @param {HTMLElement} button */
function unfold(message, button) {
  const isWhole = message.toggleAttribute("data-unfolded");
  button.textContent = isWhole ? "Show less" : "Show more";
  button.ariaExpanded = String(isWhole);
}

/** Open the model menu for one answer. @param {string} messageId */
function openModels(messageId) {
  htmx.ajax("GET", `/model/?again=${messageId}`, { target: "#dialog" });
}
