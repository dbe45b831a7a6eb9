// @ts-check
/** Applies a chosen theme at once; the server keeps it for the next page. */

export function startTheme() {
  document.body.addEventListener("theme-chosen", (event) => {
    const { theme } = /** @type {CustomEvent} */ (event).detail;
    const { dataset } = document.documentElement;
    if (theme === "system") delete dataset.theme;
    else dataset.theme = theme;
    const schemes = theme === "system" ? "light dark" : theme;
    document.querySelector("meta[name=color-scheme]")?.setAttribute("content", schemes);
  });
}
