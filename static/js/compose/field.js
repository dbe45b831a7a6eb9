// @ts-check
/** Message fields: they grow with their text, and Enter sends it. */

const MAX_TEXT = 65_536;
const MAX_FRAME = 1024 * 1024;

/** Focus the composer, unless an on-screen keyboard would cover the page.
 * @returns {boolean} whether it was focused */
export function focusComposer() {
  const field = /** @type {HTMLTextAreaElement | null} */ (document.querySelector("#text"));
  const mayFocus = field !== null && !field.readOnly && matchMedia("(hover: hover)").matches;
  if (mayFocus) field.focus();
  return mayFocus;
}

/** For browsers whose fields do not grow automatically. @param {HTMLTextAreaElement} field */
export function grow(field) {
  if (CSS.supports("field-sizing", "content")) return;
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight}px`;
}

/** Whether an input method is composing, and so owns the key. @param {KeyboardEvent} event */
export function isComposing(event) {
  // 229: a key still being composed, where `isComposing` is late
  return event.isComposing || event.keyCode === 229;
}

/** @param {KeyboardEvent} event */
export function isSend(event) {
  return event.key === "Enter" && !event.shiftKey && !isComposing(event);
}

/** A field's text, made storable. @param {HTMLTextAreaElement} field */
export function textOf(field) {
  // NUL and lone surrogates cannot be stored
  return field.value.replace(/\0|\p{Surrogate}/gu, "\u{FFFD}");
}

/** Why a text is too long to send; empty if it is not. @param {string} text */
export function tooLong(text) {
  const length = Array.from(text).length;
  if (length > MAX_TEXT) {
    const [most, is] = [MAX_TEXT, length].map((number) => number.toLocaleString("en"));
    return `A message has at most ${most} characters; this one has ${is}. Please shorten it.`;
  }
  // leaves room for the rest of the frame
  const size = new TextEncoder().encode(JSON.stringify(text)).length + 1024;
  return size > MAX_FRAME ? "This message is too large to send. Please shorten it." : "";
}
