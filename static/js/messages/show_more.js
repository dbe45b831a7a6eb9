// @ts-check
/** Loads a long message part by part: each part replaces the link to it; the text above stays put. */

import { fetchPart } from "./renderings.js";

/** @param {HTMLAnchorElement} link @param {MouseEvent} event @param {() => void} stay */
export async function showMore(link, event, stay) {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  if (link.ariaBusy === "true") return;
  const isAll = "all" in link.dataset;
  /** @type {HTMLAnchorElement | null} */
  let next = link;
  while (next) {
    next.ariaBusy = "true";
    const part = await fetchPart(next.href);
    if (!part) return location.assign(next.href);
    stay();
    const children = /** @type {HTMLElement[]} */ ([...part.children]);
    next.closest(".more")?.replaceWith(...children);
    if (next === link) focus(children[0]);
    next = isAll ? (children.at(-1)?.querySelector("a[data-do=more]") ?? null) : null;
  }
}

/** @param {HTMLElement | undefined} first */
function focus(first) {
  if (!first) return;
  if (!first.matches("details")) first.tabIndex = -1;
  const target = /** @type {HTMLElement | null} */ (first.querySelector(":scope > summary")) ?? first;
  target.focus({ preventScroll: true });
}
