/** A place where a picture can be dropped, pasted, or chosen from the disk. */

import { h } from "../lib/dom.js";

/**
 * Make an element take files.
 * @param {HTMLElement} element
 * @param {(file: File) => void} onFile
 * @returns {HTMLElement} the element with a button below it
 */
export function dropZone(element, onFile) {
  const chooser = h("input.heard", {
    type: "file",
    accept: "image/*",
    tabindex: -1,
    "aria-hidden": "true",
    id: "file",
  });
  chooser.addEventListener("change", () => {
    if (chooser.files[0]) onFile(chooser.files[0]);
    chooser.value = "";
  });
  const zone = h(
    "div.drop",
    {},
    element,
    h(
      "p.row.spread.soft.small.unsaved",
      {},
      "Drop or paste a picture here",
      h("button", { type: "button", on: { click: () => chooser.click() } }, "Choose a file"),
      chooser,
    ),
  );
  zone.addEventListener("dragover", (event) => {
    event.preventDefault();
    zone.classList.add("over");
  });
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    if (event.dataTransfer.files[0]) onFile(event.dataTransfer.files[0]);
  });
  element.addEventListener("paste", (event) => {
    if (event.clipboardData.files[0]) onFile(event.clipboardData.files[0]);
  });
  return zone;
}
