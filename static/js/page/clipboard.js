// @ts-check
/** Copies text, also on pages served over plain HTTP, where browsers hide `navigator.clipboard`. */

/** @param {string | Promise<string>} text @returns {Promise<boolean>} whether it worked */
export async function copy(text) {
  try {
    if (navigator.clipboard && typeof ClipboardItem === "function") {
      // A promise, as some browsers accept the request only during the click.
      const blob = Promise.resolve(text).then((content) => new Blob([content], { type: "text/plain" }));
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
