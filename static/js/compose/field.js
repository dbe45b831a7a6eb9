// @ts-check
/** Fields for messages: they grow with their text, and Enter sends it. */

const MAX_TEXT = 65_536;
const MAX_FRAME = 1024 * 1024;

/** The focus goes to where a message is written, unless a keyboard would cover what one reads.
 * @returns {boolean} whether it did */
export function writeHere() {
  const field = /** @type {HTMLTextAreaElement | null} */ (document.querySelector("#text"));
  const goes = field !== null && !field.readOnly && matchMedia("(hover: hover)").matches;
  if (goes) field.focus();
  return goes;
}

/** For browsers whose fields do not grow by themselves. @param {HTMLTextAreaElement} field */
export function grow(field) {
  if (CSS.supports("field-sizing", "content")) return;
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight}px`;
}

/** An input method is at work: its keys are not ours. @param {KeyboardEvent} event */
export function isComposing(event) {
  // 229: a key that it is still working on, where `isComposing` is late
  return event.isComposing || event.keyCode === 229;
}

/** @param {KeyboardEvent} event */
export function isSend(event) {
  return event.key === "Enter" && !event.shiftKey && !isComposing(event);
}

/** What a field says, as it can be stored. @param {HTMLTextAreaElement} field */
export function textOf(field) {
  // NUL and halves of surrogate pairs cannot be stored anywhere
  return field.value.replace(/\0|\p{Surrogate}/gu, "\u{FFFD}");
}

/** Why a text cannot be sent; empty: it can. @param {string} text */
export function tooLong(text) {
  const length = Array.from(text).length;
  if (length > MAX_TEXT) {
    const [most, is] = [MAX_TEXT, length].map((number) => number.toLocaleString("en"));
    return `A message has at most ${most} characters; this one has ${is}. Please shorten it.`;
  }
  // with room for the rest of the frame
  const size = new TextEncoder().encode(JSON.stringify(text)).length + 1024;
  return size > MAX_FRAME ? "This message is too large to send. Please shorten it." : "";
}
