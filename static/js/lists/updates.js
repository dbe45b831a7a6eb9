// @ts-check
/**
 * Keeps the lists of chats up to date with this page, other tabs and the server. The sidebar fetches
 * itself again; a row in the list of all chats is removed or retitled.
 */

import { showWaitingElsewhere } from "../page/title.js";
import { Connection } from "../wire/connection.js";
import { ChatList } from "./chat_list.js";
import { refreshSidebar } from "./sidebar.js";

/** Between tabs of one browser: changes the server sends only to a chat's subscribers. */
const tabs = new BroadcastChannel("talos");

/** @param {boolean} isLive the page shows a chat, which has its own connection */
export function startLists(isLive) {
  const page = /** @type {HTMLElement | null} */ (document.querySelector("main #history"));
  if (page) new ChatList(page);
  tabs.onmessage = refreshSidebar;
  document.addEventListener("visibilitychange", () => document.hidden || refreshSidebar());
  document.body.addEventListener("chat-deleted", onRemoved);
  document.body.addEventListener("chat-archived", onRemoved);
  document.body.addEventListener("sidebar-changed", showMenu);
  document.querySelector("#sidebar")?.addEventListener("htmx:afterSettle", markTitle);
  markTitle();
  if (!isLive) connect();
}

/** Mark the page's title when another chat needs approval. */
function markTitle() {
  showWaitingElsewhere(document.querySelector("#sidebar .open:not([aria-current]) .waits") !== null);
}

/** A chat was deleted or archived from the question dialog. @param {Event} event */
function onRemoved(event) {
  removeChat(/** @type {CustomEvent} */ (event).detail.id);
  /** @type {HTMLDialogElement | null} */ (document.querySelector("#question"))?.close();
}

export function tellOtherTabs() {
  tabs.postMessage("");
}

/** Show a chat's new title. @param {string} session @param {string} title */
export function retitleChat(session, title) {
  const name = document.querySelector(`#chat-${CSS.escape(session)} .title`);
  if (name && name.textContent !== title) name.textContent = title;
  refreshSidebar();
}

/** Remove a chat's row. @param {string} session */
export function removeChat(session) {
  const row = document.querySelector(`#chat-${CSS.escape(session)}`);
  const next = row?.nextElementSibling ?? row?.previousElementSibling;
  const hadFocus = row?.contains(document.activeElement);
  row?.remove();
  if (hadFocus) /** @type {HTMLElement | null} */ (next?.querySelector(".open"))?.focus();
  refreshSidebar();
}

/** Show the chat's menu once a new chat has its address. */
function showMenu() {
  const menu = /** @type {HTMLAnchorElement | null} */ (document.querySelector("#chat-menu"));
  if (!menu?.hidden || !location.pathname.startsWith("/c/")) return;
  menu.href = `${location.pathname}menu/`;
  menu.hidden = false;
}

/** On a page without a chat, listen to frames for all of the owner's connections. */
function connect() {
  const connection = new Connection({
    onFrame: ({ event, data }) => {
      if (event === "title") retitleChat(data.session_id, data.title);
      if (event === "conversation_changed") refreshSidebar();
      if (event === "conversation_deleted") removeChat(data.session_id);
    },
    onOpen: (isAgain) => isAgain && refreshSidebar(),
    onLost: () => {},
  });
  connection.open();
}
