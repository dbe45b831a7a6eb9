// @ts-check
/** Starts each part of the page. */

import { Chat } from "./chat/chat.js";
import { startMenus } from "./lists/chat_menu.js";
import { startSidebar } from "./lists/sidebar.js";
import { startLists } from "./lists/updates.js";
import { startDialogs } from "./page/dialogs.js";
import { startFailures } from "./page/failures.js";
import { startShortcuts } from "./page/shortcuts.js";
import { startTheme } from "./page/theme.js";

startDialogs();
startFailures();
startMenus();
startSidebar();
startTheme();
const root = /** @type {HTMLElement | null} */ (document.querySelector("#chat[data-live]"));
startLists(root !== null);
startShortcuts();
if (root) new Chat(root).start();
