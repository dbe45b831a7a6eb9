// @ts-check
/**
 * Keyboard control of the model menu: arrows, Home and End move the focus, typing filters (or, in a
 * short menu, jumps to a match), Enter chooses. The buttons and their form also work without this.
 */

export class ModelPicker {
  #form;
  #filter;

  /** @param {HTMLFormElement} form */
  constructor(form) {
    this.#form = form;
    this.#filter = /** @type {HTMLInputElement | null} */ (form.querySelector("#filter"));
    for (const option of this.#options) option.tabIndex = -1;
    (form.querySelector("[autofocus]") ?? this.#options[0])?.setAttribute("tabindex", "0");
    form.addEventListener("keydown", (event) => this.#onKey(event));
    form.addEventListener("submit", (event) => this.#retry(event));
    this.#filter?.addEventListener("input", () => this.#narrow());
    // if there are very many models, the server filters them
    form.addEventListener("htmx:afterSwap", () => this.#narrow());
  }

  /** The visible models that can be chosen. */
  get #options() {
    return /** @type {HTMLButtonElement[]} */ ([
      ...this.#form.querySelectorAll("[role=option]:enabled:not([hidden])"),
    ]);
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
    const options = this.#options;
    const at = options.indexOf(/** @type {HTMLButtonElement} */ (event.target));
    const to = target(event.key, at, options.length, event.target === this.#filter);
    if (to !== undefined) {
      event.preventDefault();
      this.#focus(options[to] ?? this.#filter);
    } else if (event.key === "Enter" && event.target === this.#filter) {
      event.preventDefault(); // would submit the first button of the form
      options[0]?.click();
    } else if (at >= 0 && event.key.length === 1 && event.key !== " ") {
      this.#onLetter(event.key, at);
    }
  }

  /** A letter typed on an option goes to the filter, or jumps to a match.
   * @param {string} letter @param {number} at */
  #onLetter(letter, at) {
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
    const status = this.#form.querySelector("[role=status]");
    const more = Number(/** @type {HTMLElement | null} */ (this.#form.querySelector("#models"))?.dataset.more);
    const rest = more ? `, ${more} more: type to find them` : "";
    if (status) status.textContent = (shown === 1 ? "1 model" : `${shown || "No"} models`) + rest;
  }

  /** A retry with another model stores no choice: the page sends the request itself.
   * @param {SubmitEvent} event */
  #retry(event) {
    const { again } = this.#form.dataset;
    if (again === undefined) return;
    event.preventDefault();
    const { value } = /** @type {HTMLButtonElement} */ (event.submitter);
    const detail = { message_id: again, model: value };
    this.#form.closest("dialog")?.close();
    document.body.dispatchEvent(new CustomEvent("model-again", { detail }));
  }
}

/** The index of the option that a key moves to: -1 for the filter, undefined for none.
 * @param {string} key @param {number} at @param {number} length @param {boolean} isFilter */
function target(key, at, length, isFilter) {
  if (key === "ArrowDown") return Math.min(at + 1, length - 1);
  if (key === "ArrowUp") return isFilter ? undefined : at - 1;
  if (isFilter) return undefined;
  if (key === "Home") return 0;
  if (key === "End") return length - 1;
}
