// @ts-check
/** HTMX comes with a script of its own, before ours. */

/**
 * @typedef {object} Htmx
 * @property {(element: Element) => void} process
 * @property {(verb: string, path: string, options: {target: string}) => void} ajax
 */

export const htmx = /** @type {Window & {htmx: Htmx}} */ (/** @type {unknown} */ (window)).htmx;
