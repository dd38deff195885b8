/** Grids of image thumbnails. */

import { apiUrl } from "../lib/api.js";
import { className, session } from "../lib/session.js";
import { h } from "../lib/dom.js";
import { gridKeys } from "../lib/grid_keys.js";

/**
 * The URL of a thumbnail.
 * @param {string} id
 * @param {number} [side]
 * @returns {string}
 */
export function thumbnailUrl(id, side = 96) {
  return apiUrl(`images/${encodeURIComponent(id)}/thumbnail.png`, { side });
}

/**
 * The URL of a thumbnail with the prediction and the label drawn on it, for tasks whose answers can be drawn.
 * @param {string} id
 * @param {number} [side]
 * @returns {string}
 */
export function answerThumbnailUrl(id, side = 192) {
  const version = session.run.network;
  return session.run.answers_drawn
    ? apiUrl(`images/${encodeURIComponent(id)}/thumbnail.png`, { side, answer: true, version })
    : thumbnailUrl(id);
}

/**
 * A grid of images to choose from.
 * @param {any[]} images IMAGE of docs/reference/explorer-api.md
 * @param {{onPick: (image: any) => void, selected?: string, line?: (image: any) => string,
 *   url?: (id: string) => string}} options line: the text below
 *   each; url: of the thumbnail
 * @returns {HTMLElement}
 */
export function thumbnails(images, { onPick, selected, line = labelText, url = thumbnailUrl }) {
  const one = (image) => {
    const misclassified = image.wrong ?? (image.predicted !== null && image.predicted !== image.truth);
    const caption = line(image);
    return h(
      "button",
      {
        type: "button",
        class: `thumbnail${misclassified ? " misclassified" : ""}${image.correction ? " corrected" : ""}`,
        "data-id": image.id,
        "aria-label": `${image.name}, ${caption}${image.correction ? ", corrected" : ""}`,
        title: image.name,
        "aria-current": image.id === selected ? "true" : null,
        on: { click: () => onPick(image) },
      },
      h("img", { src: url(image.id), alt: "", loading: "lazy", width: 96, height: 96 }),
      h("span", {}, caption),
    );
  };
  return gridKeys(h("div.thumbnails", { role: "group", "aria-label": "Images" }, images.map(one)));
}

/**
 * Label and prediction of an image, short.
 * @returns {string}
 */
export function labelText(image) {
  if (image.truth === null) return image.name;
  if (image.predicted === null || image.predicted === image.truth) return className(image.truth);
  return `${className(image.truth)}, predicted ${className(image.predicted)}`;
}
