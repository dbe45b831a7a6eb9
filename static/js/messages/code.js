// @ts-check
/** A button on each code block, which puts it on the clipboard. */

import { icon } from "../page/drawing.js";

/** @param {HTMLElement} root of what is new */
export function addButtons(root) {
  for (const block of root.querySelectorAll(".code:not(:has(> button))")) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "icon copy", title: "Copy", ariaLabel: "Copy the code" });
    button.dataset.do = "copy-code";
    button.append(icon("copy"));
    block.append(button);
  }
}
