// @ts-check
/** The model that the page names. A chat that is still empty keeps here what was chosen for it. */

export class Model {
  #name = document.querySelector("#model .name");
  /** What the first message is sent with. @type {string | undefined} */
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

  /** @param {string} id empty: nobody knows yet which one answers */
  show(id) {
    if (this.#name) this.#name.textContent = id || "No model yet";
  }
}
