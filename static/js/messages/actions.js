// @ts-check
/** What a person does with a message that is there: a button's `data-do` names it. */

import { tell } from "../page/announcer.js";
import { copy } from "../page/clipboard.js";
import { htmx } from "../page/htmx.js";
import { showMore } from "./show_more.js";

/** How long a button says that it is done. */
const SAID = 2000;

/**
 * @typedef {object} Wishes
 * @property {(action: object) => void} send
 * @property {(messageId: string) => Promise<string>} source of a message, as it was written
 * @property {(message: HTMLElement) => void} edit
 * @property {() => void} stay where the reader is, whatever comes below
 * @property {(message: HTMLElement, button: HTMLButtonElement) => void} select
 * @property {(message: HTMLElement) => void} takeBack
 * @property {(message: HTMLElement) => void} giveBack
 * @property {(text: string) => void} complain
 */

export class Actions {
  #wishes;

  /** @param {HTMLElement} root @param {Wishes} wishes */
  constructor(root, wishes) {
    this.#wishes = wishes;
    root.addEventListener("click", (event) => {
      const { target } = event;
      const link = /** @type {Element} */ (target).closest("a[data-do=more]");
      if (link instanceof HTMLAnchorElement) return showMore(link, event, wishes.stay);
      const button = /** @type {Element} */ (target).closest("button[data-do]");
      if (button instanceof HTMLButtonElement) this.#do(button);
    });
    document.body.addEventListener("model-again", (event) => {
      const { message_id, model } = /** @type {CustomEvent} */ (event).detail;
      wishes.send({ action: "regenerate", message_id, model });
    });
  }

  /** @param {HTMLButtonElement} button */
  #do(button) {
    const wishes = this.#wishes;
    const message = /** @type {HTMLElement | null} */ (button.closest(".message"));
    if (button.dataset.do === "copy-code") return this.#copy(button, codeOf(button));
    if (!message) return;
    const message_id = message.dataset.id ?? "";
    /** @type {Record<string, () => void>} */
    const doings = {
      copy: () => this.#copy(button, this.#source(message)),
      edit: () => wishes.edit(message),
      again: () => wishes.send({ action: "regenerate", message_id }),
      "again-with": () => openModels(message_id),
      continue: () => wishes.send({ action: "continue" }),
      select: () => wishes.select(message, button),
      "take-back": () => wishes.takeBack(message),
      "give-back": () => wishes.giveBack(message),
      unfold: () => unfold(message, button),
    };
    doings[button.dataset.do ?? ""]?.();
  }

  /** @param {HTMLElement} message */
  #source(message) {
    const isCut = message.dataset.cut !== undefined;
    const said = isCut ? undefined : message.querySelector(".bubble")?.textContent;
    return said ?? this.#wishes.source(message.dataset.id ?? "");
  }

  /** @param {HTMLButtonElement} button @param {string | Promise<string>} text */
  async #copy(button, text) {
    if (!(await copy(text))) return this.#wishes.complain("The browser did not let this be copied.");
    tell("Copied");
    const use = button.querySelector("use");
    use?.setAttribute("href", "#icon-copied");
    setTimeout(() => use?.setAttribute("href", "#icon-copy"), SAID);
  }
}

/** @param {HTMLElement} button */
function codeOf(button) {
  return button.closest(".code")?.querySelector("pre")?.textContent ?? "";
}

/** Show a long question whole, or its beginning again. @param {HTMLElement} message
 * @param {HTMLElement} button */
function unfold(message, button) {
  const isWhole = message.toggleAttribute("data-unfolded");
  button.textContent = isWhole ? "Show less of it" : "Show all of it";
  button.ariaExpanded = String(isWhole);
}

/** The menu of models, for one answer. @param {string} messageId */
function openModels(messageId) {
  htmx.ajax("GET", `/model/?again=${messageId}`, { target: "#dialog" });
}
