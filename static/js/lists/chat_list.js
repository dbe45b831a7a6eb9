// @ts-check
/**
 * Keyboard control of the list of all chats: arrows, Home and End move the focus, typing searches,
 * Enter opens, Escape cancels a rename. Links and forms also work without this.
 */

export class ChatList {
  #root;
  #field;
  /** Enter was pressed before the results arrived. */
  #isEnterPending = false;

  /** @param {HTMLElement} root */
  constructor(root) {
    this.#root = root;
    this.#field = /** @type {HTMLInputElement} */ (root.querySelector("#find"));
    this.#field.setSelectionRange(this.#field.value.length, this.#field.value.length);
    root.addEventListener("keydown", (event) => this.#onKey(event));
    this.#field.addEventListener("input", () => (this.#isEnterPending = false));
    root.addEventListener("htmx:afterSwap", (event) => this.#onSwap(event));
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
    const target = /** @type {HTMLElement} */ (event.target);
    if (target.closest(".rename")) return this.#onRenameKey(event);
    if (target.closest(".actions")) return;
    const to = this.#targetOf(event.key, target);
    if (to) {
      event.preventDefault();
      to.focus();
    } else if (event.key === "Enter" && target === this.#field) {
      this.#openFirst(event);
    } else if (target !== this.#field && event.key.length === 1 && event.key !== " ") {
      this.#field.focus(); // typing continues in the search field
    }
  }

  /** The element that a key moves the focus to. @param {string} key @param {HTMLElement} from
   * @returns {HTMLElement | null | undefined} */
  #targetOf(key, from) {
    const column = from.matches(".actions-of") ? ".actions-of" : ".open";
    const all = /** @type {HTMLElement[]} */ ([...this.#root.querySelectorAll(`.chat-row ${column}`)]);
    const at = all.indexOf(from);
    if (key === "ArrowDown") return all[at + 1];
    if (key === "ArrowUp") return at > 0 ? all[at - 1] : at === 0 ? this.#field : null;
    if (at < 0) return null;
    const row = from.closest(".chat-row");
    if (key === "Home") return all[0];
    if (key === "End") return all.at(-1);
    if (key === "ArrowRight") return row?.querySelector(".actions-of");
    if (key === "ArrowLeft") return row?.querySelector(".open");
  }

  /** Open the first result, once the results are those of the current query. @param {Event} event */
  #openFirst(event) {
    const list = /** @type {HTMLElement | null} */ (this.#root.querySelector("#list"));
    event.preventDefault();
    this.#isEnterPending = list?.dataset.query !== this.#field.value;
    if (this.#field.value.trim() && !this.#isEnterPending) {
      /** @type {HTMLElement | null} */ (list?.querySelector(".open"))?.click();
    }
  }

  /** @param {KeyboardEvent} event */
  #onRenameKey(event) {
    if (event.key !== "Escape") return;
    event.preventDefault(); // keep the dialog open
    const form = /** @type {Element} */ (event.target).closest(".rename");
    /** @type {HTMLElement | null | undefined} */ (form?.querySelector("[data-cancel]"))?.click();
  }

  /** @param {Event} event */
  #onSwap(event) {
    const { target } = /** @type {CustomEvent} */ (event).detail;
    if (target.id !== "results") return;
    this.#root.querySelector("#scroll")?.scrollTo(0, 0);
    if (this.#isEnterPending && document.activeElement === this.#field) this.#openFirst(event);
  }
}
