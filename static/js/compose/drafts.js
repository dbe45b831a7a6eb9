// @ts-check
/**
 * Drafts, one per conversation, which survive a reload and a visit elsewhere. Each tab has its own; a
 * new tab starts with the latest draft of any tab.
 */

/** @param {string | null} session */
const key = (session) => `talos-draft:${session ?? "new"}`;

/** @param {string | null} session */
export function draftOf(session) {
  try {
    return sessionStorage.getItem(key(session)) ?? localStorage.getItem(key(session)) ?? "";
  } catch {
    return "";
  }
}

/** @param {string | null} session @param {string} text */
export function keepDraft(session, text) {
  try {
    const before = sessionStorage.getItem(key(session));
    for (const storage of [sessionStorage, localStorage]) {
      if (text) storage.setItem(key(session), text);
      else if (storage.getItem(key(session)) === before) storage.removeItem(key(session));
    }
  } catch {
    // full or forbidden: a draft is only a convenience
  }
}
