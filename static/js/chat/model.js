// @ts-check
/** The model shown on the page. For an empty chat, this also keeps the choice. */

export class Model {
  #name = document.querySelector("#model .name");
  /** The model to send with the first message. @type {string | undefined} */
  chosen;

  /** @param {string | undefined} chosen in an earlier chat */
  constructor(chosen) {
    this.chosen = chosen;
    document.body.addEventListener("model-kept", (event) => {
      this.choose(/** @type {CustomEvent} */ (event).detail.model);
    });
    document.querySelector("#model")?.addEventListener("htmx:configRequest", (event) => {
      const { parameters } = /** @type {CustomEvent} */ (event).detail;
      if (this.chosen) parameters.chosen = this.chosen; // for the mark in the menu
    });
  }

  /** @param {string} id */
  choose(id) {
    this.chosen = id;
    this.show(id);
  }

  /** @param {string} id empty: not known yet */
  show(id) {
    if (this.#name) this.#name.textContent = id || "No model yet";
  }
}
