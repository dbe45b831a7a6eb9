// @ts-check
/** The form in a card that waits: its editor, its complaint, its buttons. */

import { fetchText } from "../messages/renderings.js";

const NOT_LOADED = "To edit the arguments, all of them are needed, and they could not be loaded. Please try again.";

/** @param {HTMLElement} card */
export function isEditing(card) {
  return card.dataset.editing !== undefined;
}

/** @param {Element} target what was clicked */
export function toggleEditor(target) {
  const button = target.closest("[data-edit]");
  const card = /** @type {HTMLElement | null} */ (button?.closest(".call"));
  const editor = /** @type {HTMLElement | null} */ (card?.querySelector(".edit"));
  if (!button || !card || !editor) return;
  card.toggleAttribute("data-editing");
  editor.hidden = !isEditing(card);
  button.textContent = isEditing(card) ? "Cancel editing" : "Edit arguments";
  set(card, "");
  if (isEditing(card)) begin(card, button);
}

/** @param {HTMLElement} card @param {Element} button */
async function begin(card, button) {
  const field = /** @type {HTMLTextAreaElement} */ (card.querySelector("textarea"));
  const whole = /** @type {HTMLAnchorElement | null} */ (card.querySelector(".more:not([hidden]) a"));
  field.focus();
  if (!whole || field.value) return;
  field.readOnly = true;
  field.placeholder = "Loading all of the arguments…";
  try {
    field.value = await fetchText(`${whole.href}&part=arguments`);
    field.setSelectionRange(0, 0);
  } catch {
    if (isEditing(card)) toggleEditor(button);
    set(card, NOT_LOADED);
  }
  field.readOnly = false;
  field.placeholder = "";
}

/** Escape leaves the arguments as they were asked for. @param {KeyboardEvent} event */
export function escaped(event) {
  const card = /** @type {Element} */ (event.target).closest(".call[data-editing]");
  const button = /** @type {HTMLElement | null} */ (card?.querySelector("[data-edit]") ?? null);
  if (event.key !== "Escape" || event.isComposing || !button) return;
  event.preventDefault(); // it stops no answer
  button.click();
  button.focus();
}

/** What a person put in place of the arguments; null: it cannot be sent, and the card says why.
 * @param {HTMLElement} card @returns {object | null} */
export function argumentsIn(card) {
  try {
    const given = JSON.parse(card.querySelector("textarea")?.value ?? "");
    if (typeof given === "object" && given && !Array.isArray(given)) return given;
    complain(card, "The arguments have to be one JSON object: names and values in { }.");
  } catch (error) {
    complain(card, `This is not JSON yet. ${/** @type {Error} */ (error).message}`);
  }
  return null;
}

/** @param {HTMLElement} card @param {string} text why its decision was not taken */
export function complain(card, text) {
  const hasFocus = card.contains(document.activeElement);
  release(card);
  set(card, text);
  const selector = isEditing(card) ? "textarea" : ".approve";
  const field = /** @type {HTMLElement | null} */ (card.querySelector(selector));
  if (hasFocus) field?.focus();
}

/** The answer is under way. @param {HTMLElement} card */
export function hold(card) {
  set(card, "");
  // a button that is disabled would lose the focus to nowhere
  /** @type {HTMLElement | null} */ (card.querySelector(".details"))?.focus({ preventScroll: true });
  disable(card, true);
}

/** @param {HTMLElement} card */
export function release(card) {
  disable(card, false);
}

/** @param {HTMLElement} card @param {boolean} isHeld */
function disable(card, isHeld) {
  for (const field of card.querySelectorAll("button, textarea, input")) {
    /** @type {HTMLButtonElement} */ (field).disabled = isHeld;
  }
}

/** @param {HTMLElement} card @param {string} text */
function set(card, text) {
  const complaint = card.querySelector(".complaint");
  if (complaint) complaint.textContent = text;
  const field = card.querySelector("textarea");
  if (field) field.ariaInvalid = String(text !== "" && isEditing(card));
}
