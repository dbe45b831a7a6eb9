// @ts-check
/** Shows failed HTMX requests, in the open dialog or at the composer. */

const NO_ANSWER = "The server did not answer. Please try again in a moment.";
const FAULT = "Something went wrong on the server. Please try again in a moment.";
const REFUSED = "That didn't work. Reload and try again.";

export function startFailures() {
  const { body } = document;
  /** @type {Element | null} */
  let line = null;
  /** @param {Event} event */
  const onFailure = (event) => {
    if (!isByPerson(event)) return;
    const { xhr } = /** @type {CustomEvent} */ (event).detail;
    line = failureLine();
    line.textContent = xhr.status === 0 ? NO_ANSWER : xhr.status >= 500 ? FAULT : REFUSED;
  };
  // a refusal shown in place is not an error to HTMX: its `isError` is false
  for (const name of ["sendError", "responseError", "timeout"]) body.addEventListener(`htmx:${name}`, onFailure);
  body.addEventListener("htmx:beforeRequest", (event) => {
    if (isByPerson(event)) line?.replaceChildren();
  });
}

/** Whether a person caused the request; the sidebar also refreshes itself. @param {Event} event */
function isByPerson({ target }) {
  return /** @type {Element} */ (target).id !== "sidebar";
}

/** The visible place for a failure, created if missing. @returns {Element} */
function failureLine() {
  const dialog = [...document.querySelectorAll("dialog[open]")].at(-1);
  const within = dialog ?? document.querySelector("main");
  const found = within?.querySelector(":scope > .failure") ?? (dialog ? null : document.querySelector("#complaint"));
  if (found) return found;
  const line = document.createElement("p");
  line.className = "complaint failure";
  line.role = "alert";
  if (dialog) dialog.append(line);
  else within?.querySelector(".top")?.after(line);
  return line;
}
