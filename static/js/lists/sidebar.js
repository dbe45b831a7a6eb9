// @ts-check
/**
 * The sidebar: a column on wide screens, a drawer on narrow ones, shown or hidden. It is not replaced
 * while the pointer is pressed on it.
 */

const WIDE = matchMedia("(min-width: 52rem)");
const YEAR = 365 * 24 * 60 * 60;

/** Let the sidebar fetch itself again. */
export function refreshSidebar() {
  document.body.dispatchEvent(new Event("sidebar-changed"));
}

export function startSidebar() {
  document.body.addEventListener("click", (event) => {
    const button = /** @type {Element} */ (event.target).closest("[data-toggle-sidebar]");
    if (!button) return;
    if (!WIDE.matches && button.id !== "hide-sidebar") return; // the popover opens without a script
    event.preventDefault();
    toggleSidebar();
  });
  const list = /** @type {HTMLElement | null} */ (document.querySelector("#sidebar"));
  if (list) holdStill(list);
}

/** Delay an update while the pointer is pressed: replacing the element would lose the click.
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
  const release = () => {
    isPressed = false;
    if (isDue) refreshSidebar();
    isDue = false;
  };
  // the click event comes right after
  for (const name of ["pointerup", "pointercancel"]) document.addEventListener(name, () => setTimeout(release));
}

/** Show or hide the sidebar; a cookie tells the server for the next page. */
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
