// @ts-check
/** Earlier messages come by themselves when the reader nears the beginning of what is here. */

/** How far above the screen they are asked for. */
const AHEAD = "800px 0px 0px 0px";

/** @param {HTMLElement} messages which may begin with the link to what is earlier */
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
  // what the link brings may begin with the next one
  messages.addEventListener("htmx:afterSettle", watch);
  watch();
}
