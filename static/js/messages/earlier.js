// @ts-check
/** Loads earlier messages when the reader nears the first one shown. */

/** How far above the screen they are requested. */
const AHEAD = "800px 0px 0px 0px";

/** @param {HTMLElement} messages which may begin with a link to earlier ones */
export function startEarlier(messages) {
  const observer = new IntersectionObserver(
    (seen) => {
      for (const { isIntersecting, target } of seen) {
        if (!isIntersecting) continue;
        observer.unobserve(target);
        /** @type {HTMLElement} */ (target).click();
      }
    },
    { rootMargin: AHEAD },
  );
  const watch = () => {
    observer.disconnect();
    const link = messages.querySelector("#earlier");
    if (link) observer.observe(link);
  };
  // the loaded messages may begin with the next link
  messages.addEventListener("htmx:afterSettle", watch);
  watch();
}
