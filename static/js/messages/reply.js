// @ts-check
/** The answer to a slash command: shown, not stored. */

import { parse } from "./renderings.js";

/** @param {string} content @param {string | undefined} html the server's rendering of it */
export function drawReply(content, html) {
  const element = document.createElement("div");
  element.className = html ? "notice prose" : "notice";
  element.dir = "auto";
  if (html) element.append(...parse(html).childNodes);
  else element.textContent = content;
  return element;
}
