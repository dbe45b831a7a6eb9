// @ts-check
/** What is being written, one text per conversation: survives a reload and a visit elsewhere. */

/** @param {string | null} session */
const key = (session) => `talos-draft:${session ?? "new"}`;

/** @param {string | null} session */
export function draftOf(session) {
  try {
    return localStorage.getItem(key(session)) ?? "";
  } catch {
    return "";
  }
}

/** @param {string | null} session @param {string} text */
export function keepDraft(session, text) {
  try {
    if (text) localStorage.setItem(key(session), text);
    else localStorage.removeItem(key(session));
  } catch {
    // full or forbidden: a draft is a convenience
  }
}
