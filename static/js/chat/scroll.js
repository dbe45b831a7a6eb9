// @ts-check
/** Follows the end of the conversation while the reader is there; stays put elsewhere. */

const NEAR = 60;

export class Scroll {
  #page = /** @type {HTMLElement} */ (document.scrollingElement);
  #isFollowing = true;
  #top = 0;
  #button;
  #content;

  /** @param {HTMLElement} content @param {HTMLButtonElement} button */
  constructor(content, button) {
    this.#button = button;
    this.#content = content;
    this.#showHit();
    addEventListener("scroll", () => this.#onScroll(), { passive: true });
    button.addEventListener("click", () => this.toEnd());
    content.addEventListener("htmx:beforeSwap", () => this.#keepPlace(content));
    // Runs between layout and paint, whatever changed the size: text, a rendered answer, the window.
    new ResizeObserver(() => this.#onResize()).observe(content);
  }

  /** Show the message that a search found, not the end. */
  #showHit() {
    const sought = location.hash && document.getElementById(location.hash.slice(1));
    if (!sought) return;
    this.#isFollowing = false;
    sought.scrollIntoView();
  }

  toEnd() {
    this.#isFollowing = true;
    this.#onResize();
  }

  /** Stop following: new text below is read from its beginning. */
  stay() {
    this.#isFollowing = false;
  }

  /** Scroll along with content that moved. @param {number} distance in pixels */
  by(distance) {
    this.#isFollowing = false;
    this.#page.scrollTop += distance;
    this.#onScroll();
  }

  /** Keep the reader's place while earlier messages are inserted above. @param {HTMLElement} content */
  #keepPlace(content) {
    const { scrollHeight, scrollTop } = this.#page;
    const settled = () => (this.#page.scrollTop = this.#page.scrollHeight - scrollHeight + scrollTop);
    content.addEventListener("htmx:afterSwap", settled, { once: true });
  }

  #onResize() {
    if (this.#isFollowing && !this.#isEmpty) {
      this.#page.scrollTop = this.#page.scrollHeight;
      this.#top = this.#page.scrollTop; // its scroll event comes a frame later, maybe after the reader's own
    }
    this.#showButton();
  }

  #onScroll() {
    const { scrollTop } = this.#page;
    // at the very end, also when shrinking content moved the reader there
    if (this.#below <= 1) this.#isFollowing = true;
    else if (scrollTop < this.#top) this.#isFollowing = false;
    else if (scrollTop > this.#top && this.#isNearEnd) this.#isFollowing = true;
    this.#top = scrollTop;
    this.#showButton();
  }

  /** Pixels below the visible part. */
  get #below() {
    const { scrollHeight, scrollTop, clientHeight } = this.#page;
    return scrollHeight - scrollTop - clientHeight;
  }

  get #isNearEnd() {
    return this.#below < NEAR;
  }

  #showButton() {
    this.#button.hidden = this.#isFollowing || this.#isNearEnd || this.#isEmpty;
  }

  /** Whether the chat is empty, and so is read from its top. */
  get #isEmpty() {
    return this.#content.querySelector("#welcome") !== null;
  }
}
