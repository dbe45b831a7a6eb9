// @ts-check
/**
 * The history of chats by keyboard: arrows, Home and End move the focus, typing searches, Enter
 * opens, Escape leaves a title as it was. Links and forms work without this, too.
 */

export class History {
  #root;
  #find;
  /** Enter was pressed before the results were there. */
  #isDue = false;

  /** @param {HTMLElement} root */
  constructor(root) {
    this.#root = root;
    this.#find = /** @type {HTMLInputElement} */ (root.querySelector("#find"));
    this.#find.setSelectionRange(this.#find.value.length, this.#find.value.length);
    root.addEventListener("keydown", (event) => this.#pressed(event));
    this.#find.addEventListener("input", () => (this.#isDue = false));
    root.addEventListener("htmx:afterSwap", (event) => this.#swapped(event));
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    if (event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
    const target = /** @type {HTMLElement} */ (event.target);
    if (target.closest(".rename")) return this.#renaming(event);
    if (target.closest(".actions")) return;
    const to = this.#where(event.key, target);
    if (to) {
      event.preventDefault();
      to.focus();
    } else if (event.key === "Enter" && target === this.#find) {
      this.#open(event);
    } else if (target !== this.#find && event.key.length === 1 && event.key !== " ") {
      this.#find.focus(); // the letter goes where letters go
    }
  }

  /** Where a key leads from here. @param {string} key @param {HTMLElement} from
   * @returns {HTMLElement | null | undefined} */
  #where(key, from) {
    const column = from.matches(".actions-of") ? ".actions-of" : ".open";
    const all = /** @type {HTMLElement[]} */ ([...this.#root.querySelectorAll(`.chat-row ${column}`)]);
    const at = all.indexOf(from);
    if (key === "ArrowDown") return all[at + 1];
    if (key === "ArrowUp") return at > 0 ? all[at - 1] : at === 0 ? this.#find : null;
    if (at < 0) return null;
    const row = from.closest(".chat-row");
    if (key === "Home") return all[0];
    if (key === "End") return all.at(-1);
    if (key === "ArrowRight") return row?.querySelector(".actions-of");
    if (key === "ArrowLeft") return row?.querySelector(".open");
  }

  /** The first that was found, once what is shown is what was asked for. @param {Event} event */
  #open(event) {
    const list = /** @type {HTMLElement | null} */ (this.#root.querySelector("#list"));
    event.preventDefault();
    this.#isDue = list?.dataset.query !== this.#find.value;
    if (this.#find.value.trim() && !this.#isDue) {
      /** @type {HTMLElement | null} */ (list?.querySelector(".open"))?.click();
    }
  }

  /** @param {KeyboardEvent} event */
  #renaming(event) {
    if (event.key !== "Escape") return;
    event.preventDefault(); // the dialog stays
    const form = /** @type {Element} */ (event.target).closest(".rename");
    /** @type {HTMLElement | null | undefined} */ (form?.querySelector("[data-cancel]"))?.click();
  }

  /** @param {Event} event */
  #swapped(event) {
    const { target } = /** @type {CustomEvent} */ (event).detail;
    if (target.id !== "results") return;
    this.#root.querySelector("#scroll")?.scrollTo(0, 0);
    if (this.#isDue && document.activeElement === this.#find) this.#open(event);
  }
}
