// @ts-check
/** The block that is being written: text as it comes, code as code; no markup before it is whole. */

/** Characters of one chunk: the browser lays out a chunk anew for each piece that it gets. */
const CHUNK = 2000;
const FENCE = /^ {0,3}(?:`{3,}|~{3,})[ \t]*([^\s`]*)[^\n`]*\n/;

export class Writing {
  #place;
  /** @type {HTMLElement | null} */
  #element = null;
  /** Where chunks go. @type {HTMLElement | null} */
  #content = null;
  #text = "";
  /** The end of the text, from where only empty lines follow. */
  #held = "";
  #length = 0;

  /** @param {HTMLElement} place behind what is finished in here */
  constructor(place) {
    this.#place = place;
  }

  /** Finished blocks stand before this. */
  get element() {
    return this.#element;
  }

  /** @param {string} text what is written now, in place of what was */
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

  /** A code block looks as it will when it is whole. */
  #beginCode() {
    const [opening, language] = /** @type {RegExpExecArray} */ (FENCE.exec(this.#text));
    this.#element?.remove();
    this.#element = made("div", "code");
    if (language) this.#element.append(made("span", "language", language.slice(0, 30)));
    const pre = made("pre");
    pre.dir = "ltr";
    this.#content = made("code");
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
      this.#element = this.#content = made("div", "plain");
      this.#element.dir = "auto";
      this.#place.append(this.#element);
    }
    const last = /** @type {HTMLElement | null} */ (this.#content.lastElementChild);
    if (last && this.#length > CHUNK && text.includes("\n")) {
      // A chunk may only end where a line does. Its own last newline makes no empty line.
      const end = text.indexOf("\n") + 1;
      this.#add(last, text.slice(0, end));
      text = text.slice(end);
      if (text) this.#add(this.#chunk(), text);
    } else {
      this.#add(last ?? this.#chunk(), text);
    }
  }

  /** Empty lines are shown with what follows them: if it is another block, they go.
   * @param {string} text @returns {string} what is shown now */
  #withoutEmptyLines(text) {
    const all = this.#held + text;
    const line = all.indexOf("\n", all.trimEnd().length);
    this.#held = line < 0 ? "" : all.slice(line);
    return line < 0 ? all : all.slice(0, line);
  }

  #chunk() {
    const chunk = made("div");
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
function made(tag, name = "", text = "") {
  const element = document.createElement(tag);
  if (name) element.className = name;
  element.textContent = text;
  return element;
}
