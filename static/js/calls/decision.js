// @ts-check
/** The form of a pending card: its editor, its complaint, its buttons. */

import { fetchText } from "../messages/renderings.js";

const NOT_LOADED = "The full arguments could not be loaded for editing. Please try again.";

/** @param {HTMLElement} card */
export function isEditing(card) {
  return card.dataset.editing !== undefined;
}

/** @param {Element} target the clicked element */
export function toggleEditor(target) {
  const button = target.closest("[data-edit]");
  const card = /** @type {HTMLElement | null} */ (button?.closest(".call"));
  const editor = /** @type {HTMLElement | null} */ (card?.querySelector(".edit"));
  if (!button || !card || !editor) return;
  card.toggleAttribute("data-editing");
  editor.hidden = !isEditing(card);
  button.textContent = isEditing(card) ? "Cancel editing" : "Edit arguments";
  setComplaint(card, "");
  if (isEditing(card)) fillEditor(card, button);
}

/** @param {HTMLElement} card @param {Element} button */
async function fillEditor(card, button) {
  const field = /** @type {HTMLTextAreaElement} */ (card.querySelector("textarea"));
  const whole = /** @type {HTMLAnchorElement | null} */ (card.querySelector(".more:not([hidden]) a"));
  field.focus();
  if (!whole || field.value) return;
  field.readOnly = true;
  field.placeholder = "Loading the full arguments…";
  try {
    field.value = await fetchText(`${whole.href}&part=arguments`);
    field.setSelectionRange(0, 0);
  } catch {
    if (isEditing(card)) toggleEditor(button);
    setComplaint(card, NOT_LOADED);
  }
  field.readOnly = false;
  field.placeholder = "";
}

/** Escape discards the edited arguments. @param {KeyboardEvent} event */
export function onEscape(event) {
  const card = /** @type {Element} */ (event.target).closest(".call[data-editing]");
  const button = /** @type {HTMLElement | null} */ (card?.querySelector("[data-edit]") ?? null);
  if (event.key !== "Escape" || event.isComposing || !button) return;
  event.preventDefault(); // do not stop the answer
  button.click();
  button.focus();
}

/** The edited arguments, or null if they are invalid, which the card then explains.
 * @param {HTMLElement} card @returns {object | null} */
export function argumentsIn(card) {
  try {
    const given = JSON.parse(card.querySelector("textarea")?.value ?? "");
    if (typeof given === "object" && given && !Array.isArray(given)) return given;
    complain(card, "Arguments must be one JSON object: names and values in { }.");
  } catch (error) {
    complain(card, `Not valid JSON: ${/** @type {Error} */ (error).message}`);
  }
  return null;
}

/** @param {HTMLElement} card @param {string} text why the decision was not accepted */
export function complain(card, text) {
  const hasFocus = card.contains(document.activeElement);
  release(card);
  setComplaint(card, text);
  const selector = isEditing(card) ? "textarea" : ".approve";
  const field = /** @type {HTMLElement | null} */ (card.querySelector(selector));
  if (hasFocus) field?.focus();
}

/** Disable the form while the decision is being sent. @param {HTMLElement} card */
export function hold(card) {
  setComplaint(card, "");
  // disabling the focused button would lose the focus
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
function setComplaint(card, text) {
  const complaint = card.querySelector(".complaint");
  if (complaint) complaint.textContent = text;
  const field = card.querySelector("textarea");
  if (field) field.ariaInvalid = String(text !== "" && isEditing(card));
}
