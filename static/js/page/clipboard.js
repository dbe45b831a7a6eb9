// @ts-check
/** The clipboard, also of pages that came over plain HTTP, where browsers hide the modern one. */

/** @param {string | Promise<string>} text @returns {Promise<boolean>} whether it is there now */
export async function copy(text) {
  try {
    if (navigator.clipboard && typeof ClipboardItem === "function") {
      // A promise: some browsers want the request at once, when the person asks.
      const blob = Promise.resolve(text).then((said) => new Blob([said], { type: "text/plain" }));
      await navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
      return true;
    }
    return copySelected(await text);
  } catch {
    return false;
  }
}

/** @param {string} text */
function copySelected(text) {
  const { activeElement } = document;
  const field = document.createElement("textarea");
  field.className = "visually-hidden";
  field.value = text;
  document.body.append(field);
  field.select();
  const isDone = document.execCommand("copy");
  field.remove();
  if (activeElement instanceof HTMLElement) activeElement.focus({ preventScroll: true });
  return isDone;
}
