// @ts-check
/** A long message piece by piece: each takes the place of the link to it, and what is above stays. */

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
    const piece = await fetchPart(next.href);
    if (!piece) return location.assign(next.href);
    stay();
    const children = /** @type {HTMLElement[]} */ ([...piece.children]);
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
