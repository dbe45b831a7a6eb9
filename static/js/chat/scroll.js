// @ts-check
/** Follows the end of the conversation while the reader is there, and leaves them alone elsewhere. */

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
    this.#showSought();
    addEventListener("scroll", () => this.#scrolled(), { passive: true });
    button.addEventListener("click", () => this.toEnd());
    content.addEventListener("htmx:beforeSwap", () => this.#keepPlace(content));
    // Whatever changes the size (text, a rendered answer, the window), between layout and paint.
    new ResizeObserver(() => this.#resized()).observe(content);
  }

  /** A search led here: what was found is to be read, and not the end. */
  #showSought() {
    const sought = location.hash && document.getElementById(location.hash.slice(1));
    if (!sought) return;
    this.#isFollowing = false;
    sought.scrollIntoView();
  }

  toEnd() {
    this.#isFollowing = true;
    this.#resized();
  }

  /** What comes below is read from its beginning. */
  stay() {
    this.#isFollowing = false;
  }

  /** What is read moved by so much: the reader goes with it. @param {number} distance */
  by(distance) {
    this.#isFollowing = false;
    this.#page.scrollTop += distance;
    this.#scrolled();
  }

  /** Earlier messages come in above: the reader stays where they are. @param {HTMLElement} content */
  #keepPlace(content) {
    const { scrollHeight, scrollTop } = this.#page;
    const settled = () => (this.#page.scrollTop = this.#page.scrollHeight - scrollHeight + scrollTop);
    content.addEventListener("htmx:afterSwap", settled, { once: true });
  }

  #resized() {
    if (this.#isFollowing && !this.#isEmpty) {
      this.#page.scrollTop = this.#page.scrollHeight;
      this.#top = this.#page.scrollTop; // its own event comes a frame later, the reader's maybe before
    }
    this.#showButton();
  }

  #scrolled() {
    const { scrollTop } = this.#page;
    // at the very end, also where what shrank has put the reader
    if (this.#rest <= 1) this.#isFollowing = true;
    else if (scrollTop < this.#top) this.#isFollowing = false;
    else if (scrollTop > this.#top && this.#isNearEnd) this.#isFollowing = true;
    this.#top = scrollTop;
    this.#showButton();
  }

  /** What is below what is seen. */
  get #rest() {
    const { scrollHeight, scrollTop, clientHeight } = this.#page;
    return scrollHeight - scrollTop - clientHeight;
  }

  get #isNearEnd() {
    return this.#rest < NEAR;
  }

  #showButton() {
    this.#button.hidden = this.#isFollowing || this.#isNearEnd || this.#isEmpty;
  }

  /** An empty chat is read from its top. */
  get #isEmpty() {
    return this.#content.querySelector("#welcome") !== null;
  }
}
