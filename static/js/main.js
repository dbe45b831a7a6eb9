// @ts-check
/** Wires the page together. Everything it wires is a file of its own. */

import { Chat } from "./chat.js";
import { startDialogs } from "./dialog.js";
import { startFailures } from "./failures.js";
import { startLists } from "./lists.js";
import { startMenus } from "./menus.js";
import { startShortcuts } from "./shortcuts.js";
import { startSidebar } from "./sidebar.js";
import { startTheme } from "./theme.js";

startDialogs();
startFailures();
startMenus();
startSidebar();
startTheme();
const root = /** @type {HTMLElement | null} */ (document.querySelector("#chat[data-live]"));
startLists(root !== null);
startShortcuts();
if (root) new Chat(root).start();
