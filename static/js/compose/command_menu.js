// @ts-check
/** The slash commands that match the typed text: arrows move, Enter or Tab accepts. */

import { isComposing } from "./field.js";

const TYPED = /^\/([a-z]*)$/i;

export class CommandMenu {
  #list = /** @type {HTMLElement} */ (document.querySelector("#commands"));
  #field;
  #fill;
  /** Dismissed with Escape, until something else is typed. */
  #isDismissed = false;

  /** @param {HTMLTextAreaElement} field
   * @param {(text: string, isWhole: boolean) => void} fill `isWhole`: the command is complete */
  constructor(field, fill) {
    this.#field = field;
    this.#fill = fill;
    field.addEventListener("input", () => {
      this.#isDismissed = false;
      this.show();
    });
    field.addEventListener("blur", () => this.#close());
    field.addEventListener("focus", () => this.show());
    // before the composer's handler, so that Enter chooses instead of sending
    field.addEventListener("keydown", (event) => this.#onKey(event), { capture: true });
    // keep the focus in the field
    this.#list.addEventListener("pointerdown", (event) => event.preventDefault());
    this.#list.addEventListener("click", ({ target }) => {
      const option = /** @type {HTMLElement | null} */ (/** @type {Element} */ (target).closest("[role=option]"));
      if (option) this.#choose(option, true);
    });
  }

  /** Show the commands that match. */
  show() {
    const typed = TYPED.exec(this.#field.value)?.[1].toLowerCase();
    for (const option of this.#options) option.hidden = !option.dataset.name?.startsWith(typed ?? "");
    const isOffered = typed !== undefined && !this.#isDismissed && this.#shown.length > 0;
    if (!isOffered || document.activeElement !== this.#field) return this.#close();
    this.#list.hidden = false;
    this.#mark(this.#shown.find((option) => this.#isTyped(option)) ?? this.#shown[0]);
  }

  get #options() {
    return /** @type {HTMLElement[]} */ ([...this.#list.querySelectorAll("[role=option]")]);
  }

  get #shown() {
    return this.#options.filter(({ hidden }) => !hidden);
  }

  get #marked() {
    return /** @type {HTMLElement | null} */ (this.#list.querySelector("[aria-selected=true]"));
  }

  /** @param {HTMLElement | null} option */
  #mark(option) {
    this.#marked?.setAttribute("aria-selected", "false");
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    if (option) this.#field.setAttribute("aria-activedescendant", option.id);
    else this.#field.removeAttribute("aria-activedescendant");
  }

  #close() {
    this.#list.hidden = true;
    this.#mark(null);
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (this.#list.hidden || event.shiftKey || isComposing(event)) return;
    const shown = this.#shown;
    const at = shown.indexOf(/** @type {HTMLElement} */ (this.#marked));
    if (event.key === "ArrowDown") this.#mark(shown[(at + 1) % shown.length]);
    else if (event.key === "ArrowUp") this.#mark(shown.at(at - 1) ?? null);
    else if (event.key === "Escape") this.#dismiss();
    else if (event.key === "Tab") this.#choose(shown[at], false);
    else if (event.key === "Enter" && !this.#isTyped(shown[at])) this.#choose(shown[at], true);
    else if (event.key === "Enter") return this.#close(); // the composer sends it
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  /** Whether the command is typed in full, so that Enter sends it. @param {HTMLElement} option */
  #isTyped(option) {
    return this.#field.value.toLowerCase() === `/${option.dataset.name}`;
  }

  #dismiss() {
    this.#isDismissed = true;
    this.#close();
  }

  /** @param {HTMLElement} option @param {boolean} mayRun */
  #choose(option, mayRun) {
    const takes = option.dataset.takes !== undefined;
    this.#close();
    this.#fill(`/${option.dataset.name}${takes ? " " : ""}`, mayRun && !takes);
  }
}
