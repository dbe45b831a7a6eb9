// @ts-check
/** Elements drawn by the script: copies of the page's templates, notes, icons. */

const SVG = "http://www.w3.org/2000/svg";

/** A copy of one of the page's templates. @param {string} selector */
export function draw(selector) {
  const template = /** @type {HTMLTemplateElement} */ (document.querySelector(selector));
  return /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
}

/** Set the line under a message, with an optional button; an empty text removes it.
 * @param {Element} message @param {string} text @param {string} [action] in `messages/actions.js`
 * @param {string} [label] */
export function note(message, text, action, label = "") {
  message.querySelector(".note")?.remove();
  if (!text) return;
  const line = document.createElement("p");
  line.className = "note";
  line.append(document.createElement("span"));
  /** @type {Element} */ (line.firstElementChild).textContent = text;
  if (action) {
    const button = document.createElement("button");
    button.className = "link";
    button.type = "button";
    button.dataset.do = action;
    button.textContent = label;
    line.append(" ", button);
  }
  const handles = message.querySelector(".handles");
  if (handles) handles.before(line);
  else message.append(line);
}

/** One of the page's icons. @param {string} name */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("aria-hidden", "true");
  svg.append(document.createElementNS(SVG, "use"));
  svg.firstElementChild?.setAttribute("href", `#icon-${name}`);
  return svg;
}
