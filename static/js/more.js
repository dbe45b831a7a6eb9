// @ts-check
/** A long message piece by piece: each takes the place of the link to it, and what is above stays. */

import { fetchPart } from "./renderings.js";

/** @param {HTMLAnchorElement} link @param {MouseEvent} event @param {() => void} stay */
export async function showMore(link, event, stay) {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  if (link.ariaBusy === "true") return;
  link.ariaBusy = "true";
  const piece = await fetchPart(link.href);
  if (!piece) return location.assign(link.href);
  stay();
  const children = [...piece.children];
  link.closest(".more")?.replaceWith(...children);
  const first = /** @type {HTMLElement | undefined} */ (children[0]);
  if (!first) return;
  if (!first.matches("details")) first.tabIndex = -1;
  const next = /** @type {HTMLElement | null} */ (first.querySelector(":scope > summary")) ?? first;
  next.focus({ preventScroll: true });
}
