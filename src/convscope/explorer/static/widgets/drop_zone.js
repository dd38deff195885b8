/** A zone where an image can be dropped, pasted, or chosen from the disk. */

import { h } from "../lib/dom.js";

/**
 * Let an element accept files.
 * @param {HTMLElement} element
 * @param {(file: File) => void} onFile
 * @returns {HTMLElement} the element with a button below it
 */
export function dropZone(element, onFile) {
  const chooser = h("input.visually-hidden", {
    type: "file",
    accept: "image/*,.npy",
    tabindex: -1,
    "aria-hidden": "true",
    id: "file",
  });
  chooser.addEventListener("change", () => {
    if (chooser.files[0]) onFile(chooser.files[0]);
    chooser.value = "";
  });
  const zone = h(
    "div.drop-zone",
    {},
    element,
    h(
      "p.row.space-between.muted.small.no-screenshot",
      {},
      "Drop or paste an image here",
      h("button", { type: "button", on: { click: () => chooser.click() } }, "Choose file"),
      chooser,
    ),
  );
  zone.addEventListener("dragover", (event) => {
    event.preventDefault();
    zone.classList.add("drag-over");
  });
  zone.addEventListener("dragleave", () => zone.classList.remove("drag-over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("drag-over");
    if (event.dataTransfer.files[0]) onFile(event.dataTransfer.files[0]);
  });
  element.addEventListener("paste", (event) => {
    if (event.clipboardData.files[0]) onFile(event.clipboardData.files[0]);
  });
  return zone;
}
