// @ts-check
/** The server's rendering of what is here: read, fetched, and put in place of what was drawn. */

import { addButtons } from "./code.js";

/** Frames are held back meanwhile. */
const PATIENCE = 10_000;

/** What its HTML says, in an element of no document yet. @param {string} html */
export function parsed(html) {
  const { body } = new DOMParser().parseFromString(html, "text/html");
  addButtons(body);
  return document.adoptNode(body);
}

/** The messages with these ids as the server has them now, and what stands around them: one, or
 * the end of the branch. Null: it does not say.
 * @param {string} session @param {string[]} ids @returns {Promise<HTMLElement | null>} */
export async function fetchMessages(session, ids) {
  return fetchPart(`/c/${session}/${ids.length === 1 ? `messages/${ids[0]}/` : ""}`);
}

/** @param {string} url of a part of a page @returns {Promise<HTMLElement | null>} */
export async function fetchPart(url) {
  const request = { headers: { "HX-Request": "true" }, signal: AbortSignal.timeout(PATIENCE) };
  try {
    const response = await fetch(url, request);
    return response.ok ? parsed(await response.text()) : null;
  } catch {
    return null;
  }
}

/** A message as it was written.
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

/** Give a message its new rendering. What is the same stays: selected text, places of scrolling,
 * what the reader unfolded. @param {HTMLElement} old @param {HTMLElement} fresh */
export function become(old, fresh) {
  const focused = keepOpen(old, fresh);
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) old.setAttribute(name, value);
  const [kept, body] = [old, fresh].map((message) => message.querySelector(":scope > .body, :scope > .bubble"));
  if (!kept || !body) return old.replaceChildren(...fresh.childNodes);
  match(kept, body);
  for (const child of [...old.children]) if (child !== kept) child.remove();
  const children = [...fresh.children];
  kept.before(...children.slice(0, children.indexOf(body)));
  kept.after(...children.slice(children.indexOf(body) + 1));
  focused()?.focus({ preventScroll: true });
}

/** @param {Element} old @param {Element} fresh stretches of text and calls, or blocks of text */
function match(old, fresh) {
  const [mine, theirs] = [[...old.childNodes], [...fresh.childNodes]].map((nodes) => nodes.filter(isSeen));
  theirs.forEach((node, at) => {
    const known = mine[at];
    if (!known) old.append(node);
    else if (isStretch(known) && isStretch(node)) match(known, node);
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

/** What the reader unfolded stays unfolded. @param {HTMLElement} old @param {HTMLElement} fresh
 * @returns {() => HTMLElement | null} what has the focus after the change */
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
