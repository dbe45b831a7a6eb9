// @ts-check
/** The line above the composer that says why no frames arrive. */

/** @param {HTMLElement} root @param {string} text empty when frames arrive */
export function showBanner(root, text) {
  const banner = root.querySelector("#banner");
  // setting the same text would make a screen reader repeat it
  if (banner && banner.textContent !== text) banner.textContent = text;
  root.toggleAttribute("data-unheard", text !== "");
}
