// @ts-check
/**
 * Shows and hides the list of chats: a column on a wide screen, a drawer on a narrow one. It holds
 * still under a pressed pointer.
 */

import { sidebarChanged } from "../page/announcer.js";

const WIDE = matchMedia("(min-width: 52rem)");
const YEAR = 365 * 24 * 60 * 60;

export function startSidebar() {
  document.body.addEventListener("click", (event) => {
    const button = /** @type {Element} */ (event.target).closest("[data-toggle-sidebar]");
    if (!button) return;
    if (!WIDE.matches && button.id !== "hide-sidebar") return; // the drawer, without a script
    event.preventDefault();
    toggleSidebar();
  });
  const list = /** @type {HTMLElement | null} */ (document.querySelector("#sidebar"));
  if (list) holdStill(list);
}

/** A click is pressed and let go on one element: exchanged between the two, there is none.
 * @param {HTMLElement} list */
function holdStill(list) {
  let isPressed = false;
  let isDue = false;
  list.addEventListener("pointerdown", () => (isPressed = true));
  list.addEventListener("htmx:beforeSwap", (event) => {
    if (!isPressed) return;
    /** @type {CustomEvent} */ (event).detail.shouldSwap = false;
    isDue = true;
  });
  const letGo = () => {
    isPressed = false;
    if (isDue) sidebarChanged();
    isDue = false;
  };
  // the click comes right after
  for (const name of ["pointerup", "pointercancel"]) document.addEventListener(name, () => setTimeout(letGo));
}

/** The server knows the choice from a cookie, so that the next page is drawn with it. */
export function toggleSidebar() {
  const drawer = /** @type {HTMLElement} */ (document.querySelector("#drawer"));
  if (!WIDE.matches) {
    drawer.togglePopover();
    return true;
  }
  const { dataset } = document.documentElement;
  const isHidden = dataset.sidebar === "hidden";
  if (isHidden) delete dataset.sidebar;
  else dataset.sidebar = "hidden";
  const age = isHidden ? 0 : YEAR;
  document.cookie = `talos_sidebar=hidden; path=/; max-age=${age}; samesite=lax`;
  const focused = document.activeElement;
  const isLost = focused === document.body || focused?.matches("[data-toggle-sidebar], #drawer *");
  const next = /** @type {HTMLElement | null} */ (document.querySelector(isHidden ? "#hide-sidebar" : ".menu"));
  if (isLost) next?.focus();
  return true;
}
