// @ts-check
/** What a slash command answered: shown, not stored. */

import { parsed } from "./renderings.js";

/** @param {string} content @param {string | undefined} html the server's rendering of it */
export function notice(content, html) {
  const element = document.createElement("div");
  element.className = html ? "notice prose" : "notice";
  element.dir = "auto";
  if (html) element.append(...parsed(html).childNodes);
  else element.textContent = content;
  return element;
}
