// @ts-check
/** The model that the page names. A chat that is still empty keeps the choice here. */

export class Model {
  #name = document.querySelector("#model .name");
  /** What the first message is sent with. @type {string | undefined} */
  chosen;

  constructor() {
    document.body.addEventListener("model-kept", (event) => {
      this.choose(/** @type {CustomEvent<string>} */ (event).detail);
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

  /** @param {string} id */
  show(id) {
    if (this.#name) this.#name.textContent = id;
  }
}
