// @ts-check
/** What HTMX asked for and did not get is said: in the dialog that asked, or at the composer. */

const NO_ANSWER = "The server did not answer. Please try again in a moment.";
const FAULT = "Something went wrong on the server. Please try again in a moment.";
const REFUSED = "The server did not do this. Please load the page again.";

export function startFailures() {
  const { body } = document;
  /** @type {Element | null} */
  let said = null;
  /** @param {Event} event */
  const failed = (event) => {
    if (!isAsked(event)) return;
    const { xhr } = /** @type {CustomEvent} */ (event).detail;
    said = place();
    said.textContent = xhr.status === 0 ? NO_ANSWER : xhr.status >= 500 ? FAULT : REFUSED;
  };
  // a refusal that is shown by itself is none to HTMX: `isError` is false then
  for (const name of ["sendError", "responseError", "timeout"]) body.addEventListener(`htmx:${name}`, failed);
  body.addEventListener("htmx:beforeRequest", (event) => {
    if (isAsked(event)) said?.replaceChildren();
  });
}

/** A person did it: the sidebar fetches itself again unasked. @param {Event} event */
function isAsked({ target }) {
  return /** @type {Element} */ (target).id !== "sidebar";
}

/** Where it is seen now. @returns {Element} */
function place() {
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
