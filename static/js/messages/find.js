// @ts-check
/** Finds messages on the page. */

/** @param {HTMLElement} root @param {string} id @returns {HTMLElement | null} */
export function byId(root, id) {
  return root.querySelector(`.message[data-id="${CSS.escape(id)}"]`);
}

/** @param {HTMLElement} root @param {string | undefined} clientId @returns {HTMLElement | null} */
export function byClient(root, clientId) {
  return clientId ? root.querySelector(`.message[data-client-id="${CSS.escape(clientId)}"]`) : null;
}

/** The messages that the server has, oldest first. @param {HTMLElement} root @returns {HTMLElement[]} */
export function stored(root) {
  const found = root.querySelectorAll(".message[data-id]:not([data-id=''])");
  return [.../** @type {NodeListOf<HTMLElement>} */ (found)];
}
