// @ts-check
/**
 * The menu of models, by keyboard: arrows, Home and End move the focus, typing filters (or, in a
 * short menu, finds), Enter chooses. The buttons and their form work without this, too.
 */

export class Picker {
  #form;
  #filter;

  /** @param {HTMLFormElement} form */
  constructor(form) {
    this.#form = form;
    this.#filter = /** @type {HTMLInputElement | null} */ (form.querySelector("#filter"));
    for (const option of this.#options) option.tabIndex = -1;
    (form.querySelector("[autofocus]") ?? this.#options[0])?.setAttribute("tabindex", "0");
    form.addEventListener("keydown", (event) => this.#pressed(event));
    form.addEventListener("submit", (event) => this.#again(event));
    this.#filter?.addEventListener("input", () => this.#narrow());
    // of very many models, those that are looked for come from the server
    form.addEventListener("htmx:afterSwap", () => this.#narrow());
  }

  /** Those that can be chosen and are shown. */
  get #options() {
    return /** @type {HTMLButtonElement[]} */ ([
      ...this.#form.querySelectorAll("[role=option]:enabled:not([hidden])"),
    ]);
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    if (event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
    const options = this.#options;
    const at = options.indexOf(/** @type {HTMLButtonElement} */ (event.target));
    const to = target(event.key, at, options.length, event.target === this.#filter);
    if (to !== undefined) {
      event.preventDefault();
      this.#focus(options[to] ?? this.#filter);
    } else if (event.key === "Enter" && event.target === this.#filter) {
      event.preventDefault(); // not the first of all
      options[0]?.click();
    } else if (at >= 0 && event.key.length === 1 && event.key !== " ") {
      this.#typed(event.key, at);
    }
  }

  /** On an option: the letter goes where letters go. @param {string} letter @param {number} at */
  #typed(letter, at) {
    if (this.#filter) return this.#filter.focus();
    const options = this.#options;
    const after = [...options.slice(at + 1), ...options.slice(0, at + 1)];
    this.#focus(after.find(({ innerText }) => innerText.toLowerCase().startsWith(letter.toLowerCase())));
  }

  /** @param {HTMLElement | null | undefined} element */
  #focus(element) {
    if (!element) return;
    if (element !== this.#filter) {
      this.#form.querySelector("[role=option][tabindex='0']")?.setAttribute("tabindex", "-1");
      element.tabIndex = 0;
    }
    element.focus();
  }

  #narrow() {
    const words = (this.#filter?.value ?? "").toLowerCase().split(/\s+/);
    const all = /** @type {NodeListOf<HTMLButtonElement>} */ (this.#form.querySelectorAll("[role=option]"));
    for (const option of all) {
      const text = `${option.value} ${option.textContent}`.toLowerCase();
      option.hidden = !words.every((word) => text.includes(word));
      option.tabIndex = -1;
    }
    this.#options[0]?.setAttribute("tabindex", "0");
    const shown = [...all].filter(({ hidden }) => !hidden).length;
    const said = this.#form.querySelector("[role=status]");
    const more = Number(/** @type {HTMLElement | null} */ (this.#form.querySelector("#models"))?.dataset.more);
    const rest = more ? `, ${more} more: type to find them` : "";
    if (said) said.textContent = (shown === 1 ? "1 model" : `${shown || "No"} models`) + rest;
  }

  /** One answer by another model changes no row: the page asks for it itself.
   * @param {SubmitEvent} event */
  #again(event) {
    const { again } = this.#form.dataset;
    if (again === undefined) return;
    event.preventDefault();
    const { value } = /** @type {HTMLButtonElement} */ (event.submitter);
    const detail = { message_id: again, model: value };
    this.#form.closest("dialog")?.close();
    document.body.dispatchEvent(new CustomEvent("model-again", { detail }));
  }
}

/** Where a key leads: an option's number, -1 for the filter, undefined for elsewhere.
 * @param {string} key @param {number} at @param {number} length @param {boolean} isFilter */
function target(key, at, length, isFilter) {
  if (key === "ArrowDown") return Math.min(at + 1, length - 1);
  if (key === "ArrowUp") return isFilter ? undefined : at - 1;
  if (isFilter) return undefined;
  if (key === "Home") return 0;
  if (key === "End") return length - 1;
}
