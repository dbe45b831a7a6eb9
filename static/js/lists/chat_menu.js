// @ts-check
/**
 * The menu of a chat: HTMX loads it into a popover, which opens beside its button. Arrows move within
 * it; the popover itself handles Escape and outside clicks.
 */

const GAP = 4;
const EDGE = 8;

export function startMenus() {
  document.body.addEventListener("htmx:afterSwap", (event) => {
    const { target, requestConfig } = /** @type {CustomEvent} */ (event).detail;
    if (target.matches(".actions[popover]")) open(target, requestConfig.elt);
  });
  // choosing any item closes the menu
  document.body.addEventListener("htmx:beforeRequest", ({ target }) => close(/** @type {Element} */ (target)));
  document.body.addEventListener("click", ({ target }) => {
    const link = /** @type {Element} */ (target).closest(".actions a[download]");
    if (link) close(link);
  });
  document.body.addEventListener("keydown", onKey);
}

/** @param {HTMLElement} menu @param {HTMLElement} opener */
function open(menu, opener) {
  const from = opener.getBoundingClientRect();
  menu.hidePopover(); // it may show another chat's
  menu.showPopover();
  const { offsetWidth, offsetHeight } = menu;
  const isRightToLeft = getComputedStyle(opener).direction === "rtl";
  const start = isRightToLeft ? from.left : from.right - offsetWidth;
  const below = from.bottom + GAP;
  const fits = below + offsetHeight <= innerHeight - EDGE;
  menu.style.left = `${Math.max(EDGE, Math.min(start, innerWidth - offsetWidth - EDGE))}px`;
  menu.style.top = `${Math.max(EDGE, fits ? below : from.top - GAP - offsetHeight)}px`;
  opener.setAttribute("aria-expanded", "true");
  menu.addEventListener("beforetoggle", () => opener.removeAttribute("aria-expanded"), { once: true });
  items(menu)[0]?.focus();
}

/** @param {Element} within */
function close(within) {
  /** @type {HTMLElement | null} */ (within.closest(".actions[popover]"))?.hidePopover();
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  const menu = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest(".actions"));
  if (!menu) return;
  const all = items(menu);
  const at = all.indexOf(/** @type {HTMLElement} */ (event.target));
  const to = { ArrowDown: at + 1, ArrowUp: at - 1 + all.length, Home: 0, End: all.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  all[to % all.length].focus();
}

/** @param {HTMLElement} menu @returns {HTMLElement[]} */
function items(menu) {
  return [...menu.querySelectorAll("a, button")].map((item) => /** @type {HTMLElement} */ (item));
}
