// @ts-check
/** The block being written: plain text, or code as code; markup is rendered when it is complete. */

/** Characters per chunk: the browser lays out a whole chunk whenever it grows. */
const CHUNK = 2000;
const FENCE = /^ {0,3}(?:`{3,}|~{3,})[ \t]*([^\s`]*)[^\n`]*\n/;

export class OpenBlock {
  #place;
  /** @type {HTMLElement | null} */
  #element = null;
  /** Where chunks go. @type {HTMLElement | null} */
  #content = null;
  #text = "";
  /** Empty lines at the end of the text, held back. */
  #held = "";
  #length = 0;

  /** @param {HTMLElement} place where the block goes, after the finished ones */
  constructor(place) {
    this.#place = place;
  }

  /** The element that finished blocks precede. */
  get element() {
    return this.#element;
  }

  /** Start over with a text. @param {string} text */
  begin(text) {
    this.#element?.remove();
    this.#element = this.#content = null;
    this.#text = this.#held = "";
    if (text) this.append(text);
  }

  /** @param {string} text */
  append(text) {
    const isFirstLine = !this.#text.includes("\n");
    this.#text += text;
    if (isFirstLine && FENCE.test(this.#text)) this.#beginCode();
    else this.#write(text);
  }

  /** Show a code block as it will look when complete. */
  #beginCode() {
    const [opening, language] = /** @type {RegExpExecArray} */ (FENCE.exec(this.#text));
    this.#element?.remove();
    this.#element = create("div", "code");
    if (language) this.#element.append(create("span", "language", language.slice(0, 30)));
    const pre = create("pre");
    pre.dir = "ltr";
    this.#content = create("code");
    pre.append(this.#content);
    this.#element.append(pre);
    this.#place.append(this.#element);
    this.#held = "";
    this.#write(this.#text.slice(opening.length));
  }

  /** @param {string} text */
  #write(text) {
    text = this.#withoutEmptyLines(text);
    if (!text) return;
    if (!this.#content) {
      this.#element = this.#content = create("div", "plain");
      this.#element.dir = "auto";
      this.#place.append(this.#element);
    }
    const last = /** @type {HTMLElement | null} */ (this.#content.lastElementChild);
    if (last && this.#length > CHUNK && text.includes("\n")) {
      // A chunk may only end at a line's end; its last newline adds no empty line.
      const end = text.indexOf("\n") + 1;
      this.#add(last, text.slice(0, end));
      text = text.slice(end);
      if (text) this.#add(this.#chunk(), text);
    } else {
      this.#add(last ?? this.#chunk(), text);
    }
  }

  /** Hold back trailing empty lines until text follows; another block drops them.
   * @param {string} text @returns {string} the text to show now */
  #withoutEmptyLines(text) {
    const all = this.#held + text;
    const line = all.indexOf("\n", all.trimEnd().length);
    this.#held = line < 0 ? "" : all.slice(line);
    return line < 0 ? all : all.slice(0, line);
  }

  #chunk() {
    const chunk = create("div");
    this.#content?.append(chunk);
    this.#length = 0;
    return chunk;
  }

  /** @param {HTMLElement} chunk @param {string} text */
  #add(chunk, text) {
    if (chunk.lastChild) /** @type {Text} */ (chunk.lastChild).appendData(text);
    else chunk.append(text);
    this.#length += text.length;
  }
}

/** @param {string} tag @param {string} [name] of its class @param {string} [text] */
function create(tag, name = "", text = "") {
  const element = document.createElement(tag);
  if (name) element.className = name;
  element.textContent = text;
  return element;
}
