// @ts-check
/** HTMX, loaded by its own script before this one. */

/**
 * @typedef {object} Htmx
 * @property {(element: Element) => void} process
 * @property {(verb: string, path: string, options: {target: string}) => void} ajax
 */

export const htmx = /** @type {Window & {htmx: Htmx}} */ (/** @type {unknown} */ (window)).htmx;
