// @ts-check
/** Fetches the server's renderings of messages, and puts them in place of drawn messages. */

import { addCopyButtons } from "./code.js";

/** Milliseconds; frames are held back meanwhile. */
const PATIENCE = 10_000;

/** Parse HTML into an element outside any document. @param {string} html */
export function parse(html) {
  const { body } = new DOMParser().parseFromString(html, "text/html");
  addCopyButtons(body);
  return document.adoptNode(body);
}

/** Fetch one message, or for any other number of ids the end of the branch. Null: it failed.
 * @param {string} session @param {string[]} ids @returns {Promise<HTMLElement | null>} */
export async function fetchMessages(session, ids) {
  return fetchPart(`/c/${session}/${ids.length === 1 ? `messages/${ids[0]}/` : ""}`);
}

/** @param {string} url of a part of a page @returns {Promise<HTMLElement | null>} */
export async function fetchPart(url) {
  const request = { headers: { "HX-Request": "true" }, signal: AbortSignal.timeout(PATIENCE) };
  try {
    const response = await fetch(url, request);
    return response.ok ? parse(await response.text()) : null;
  } catch {
    return null;
  }
}

/** Fetch the source text of a message.
 * @param {string | null} session @param {string} id @returns {Promise<string>} */
export async function fetchSource(session, id) {
  return fetchText(`/c/${session}/messages/${id}/source/`);
}

/** @param {string} url */
export async function fetchText(url) {
  const response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE) });
  if (!response.ok) throw new Error(response.statusText);
  return response.text();
}

/** Update a message to its new rendering. Unchanged parts stay, and with them selections, scroll
 * positions and unfolded details. @param {HTMLElement} old @param {HTMLElement} fresh */
export function renew(old, fresh) {
  const focused = keepOpen(old, fresh);
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) old.setAttribute(name, value);
  const [kept, body] = [old, fresh].map((message) => message.querySelector(":scope > .body, :scope > .bubble"));
  if (!kept || !body) return old.replaceChildren(...fresh.childNodes);
  merge(kept, body);
  for (const child of [...old.children]) if (child !== kept) child.remove();
  const children = [...fresh.children];
  kept.before(...children.slice(0, children.indexOf(body)));
  kept.after(...children.slice(children.indexOf(body) + 1));
  focused()?.focus({ preventScroll: true });
}

/** @param {Element} old @param {Element} fresh stretches of text and calls, or blocks of text */
function merge(old, fresh) {
  const [mine, theirs] = [[...old.childNodes], [...fresh.childNodes]].map((nodes) => nodes.filter(isSeen));
  theirs.forEach((node, at) => {
    const known = mine[at];
    if (!known) old.append(node);
    else if (isStretch(known) && isStretch(node)) merge(known, node);
    else if (!known.isEqualNode(node)) known.replaceWith(node);
  });
  for (const node of mine.slice(theirs.length)) node.remove();
}

/** @param {Node} node */
function isSeen(node) {
  return node instanceof Element || node.textContent?.trim();
}

/** @param {Node} node @returns {node is Element} */
function isStretch(node) {
  return node instanceof Element && node.matches(".body > .prose");
}

/** Keep unfolded details unfolded. @param {HTMLElement} old @param {HTMLElement} fresh
 * @returns {() => HTMLElement | null} the element to focus after the change */
function keepOpen(old, fresh) {
  let focused = "";
  for (const details of old.querySelectorAll("details")) {
    const { callId } = details.dataset;
    const same = callId ? `[data-call-id="${CSS.escape(callId)}"]` : `.${details.className}`;
    const again = /** @type {HTMLDetailsElement | null} */ (fresh.querySelector(same));
    if (!again) continue;
    again.open = details.open;
    if (details.contains(document.activeElement)) focused = `${same} > summary`;
  }
  return () => {
    const isLost = focused && !old.contains(document.activeElement);
    return isLost ? /** @type {HTMLElement | null} */ (old.querySelector(focused)) : null;
  };
}
