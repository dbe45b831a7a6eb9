// @ts-check
/** Adds a copy button to each code block. */

import { icon } from "../page/drawing.js";

/** @param {HTMLElement} root of the new content */
export function addCopyButtons(root) {
  for (const block of root.querySelectorAll(".code:not(:has(> button))")) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "icon copy", title: "Copy", ariaLabel: "Copy code" });
    button.dataset.do = "copy-code";
    button.append(icon("copy"));
    block.append(button);
  }
}
