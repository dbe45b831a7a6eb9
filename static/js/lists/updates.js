// @ts-check
/**
 * What the lists of chats must hear: of this page, of other tabs, and from the server. The sidebar
 * fetches itself again; a row of the history goes or gets its new title.
 */

import { sidebarChanged } from "../page/announcer.js";
import { History } from "./chat_list.js";
import { Connection } from "../wire/connection.js";
import { showWaitingElsewhere } from "../page/title.js";

/** Between the tabs of one browser: what the server tells those who watch a chat only. */
const tabs = new BroadcastChannel("talos");

/** @param {boolean} isLive a chat on this page has its own connection */
export function startLists(isLive) {
  const page = /** @type {HTMLElement | null} */ (document.querySelector("main #history"));
  if (page) new History(page);
  tabs.onmessage = sidebarChanged;
  document.addEventListener("visibilitychange", () => document.hidden || sidebarChanged());
  document.body.addEventListener("chat-deleted", wentAway);
  document.body.addEventListener("chat-archived", wentAway);
  document.body.addEventListener("sidebar-changed", showMenu);
  document.querySelector("#sidebar")?.addEventListener("htmx:afterSettle", markTitle);
  markTitle();
  if (!isLive) listen();
}

/** The tab says so, too, where another chat waits for its owner. */
function markTitle() {
  showWaitingElsewhere(document.querySelector("#sidebar .open:not([aria-current]) .waits") !== null);
}

/** It was asked whether a chat is to go: it goes, from the lists at least. @param {Event} event */
function wentAway(event) {
  gone(/** @type {CustomEvent} */ (event).detail.id);
  /** @type {HTMLDialogElement | null} */ (document.querySelector("#question"))?.close();
}

export function tellOtherTabs() {
  tabs.postMessage("");
}

/** A chat has another title. @param {string} session @param {string} title */
export function retitle(session, title) {
  const name = document.querySelector(`#chat-${CSS.escape(session)} .title`);
  if (name && name.textContent !== title) name.textContent = title;
  sidebarChanged();
}

/** A chat is no more. @param {string} session */
export function gone(session) {
  const row = document.querySelector(`#chat-${CSS.escape(session)}`);
  const next = row?.nextElementSibling ?? row?.previousElementSibling;
  const hadFocus = row?.contains(document.activeElement);
  row?.remove();
  if (hadFocus) /** @type {HTMLElement | null} */ (next?.querySelector(".open"))?.focus();
  sidebarChanged();
}

/** A new chat gets its address, and with it what can be done to it, while one is on the page. */
function showMenu() {
  const menu = /** @type {HTMLAnchorElement | null} */ (document.querySelector("#chat-menu"));
  if (!menu?.hidden || !location.pathname.startsWith("/c/")) return;
  menu.href = `${location.pathname}menu/`;
  menu.hidden = false;
}

/** A page without a chat hears what is told to all of the owner's connections. */
function listen() {
  const connection = new Connection({
    onFrame: ({ event, data }) => {
      if (event === "title") retitle(data.session_id, data.title);
      if (event === "conversation_changed") sidebarChanged();
      if (event === "conversation_deleted") gone(data.session_id);
    },
    onOpen: (isAgain) => isAgain && sidebarChanged(),
    onLost: () => {},
  });
  connection.open();
}
