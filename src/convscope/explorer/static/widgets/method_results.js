/** How results of explain methods are drawn: their pictures, unless a method has a drawing of its own. */

import { answerName, className } from "../lib/session.js";
import { formatNumber } from "../lib/numbers.js";
import { formatRoute } from "../lib/router.js";
import { h } from "../lib/dom.js";

/** Drawings by method, for results that a picture cannot give. @type {Object<string, (result: any, image: string) => any>} */
const DRAWINGS = { attribution: attributionMaps, stimuli: topPatches };

/**
 * The drawing of a result.
 * @param {string} method
 * @param {any} result
 * @param {string} image the id of the image shown
 * @param {{images?: string[]}} settings as they were sent
 */
export function methodResult(method, result, image, settings) {
  const own = DRAWINGS[method]?.(result, settings.images?.[0] === image ? image : "");
  return own ?? gallery(result.pictures);
}

function gallery(pictures) {
  return Object.entries(pictures).map(([name, address]) =>
    h("figure.sheet", {}, h("img", { src: address, alt: name, loading: "lazy" })),
  );
}

/** The maps over the image shown; of other images, the picture has them. */
function attributionMaps(result, image) {
  if (!image) return null;
  return h(
    "div.attribution-maps",
    {},
    result.data.maps.map((map) =>
      h(
        "figure",
        {},
        heatmapOverlay(image, result.tiles[map.picture], `Attribution map for ${answerName(map.class)}`),
        h(
          "figcaption.small",
          {},
          h("b", {}, map.method.replaceAll("_", " ")),
          h(
            "span.muted",
            {},
            `${map.layer ? ` at ${map.layer}` : ""} for ${answerName(map.class)}${result.data.against ? ` and not ${result.data.against}` : ""}; from ${formatNumber(map.low)} to ${formatNumber(map.high)}. Warmer regions give more support.`,
          ),
        ),
      ),
    ),
  );
}

function topPatches(result) {
  return result.data.channels.map(({ layer, channel, silent, patches }) =>
    h(
      "section.stack",
      {},
      h("h3", {}, `${layer}, channel ${channel}`, silent ? h("span.muted", {}, " · inactive on all images") : null),
      h(
        "div.patches",
        {},
        patches.map((patch) => patchLink(patch, result.tiles[patch.picture], layer, channel)),
      ),
    ),
  );
}

function patchLink({ image, value }, picture, layer, channel) {
  const content = [h("img", { src: picture, alt: "", loading: "lazy" }), h("span", {}, formatNumber(value))];
  if (!image.id) return h("span.patch", { title: image }, content);
  return h(
    "a.patch",
    {
      href: formatRoute("unit", { image: image.id, layer, channel }),
      "aria-label": `${image.name}, ${className(image.truth)}: ${formatNumber(value)}; show its computation`,
      title: `${image.name}: ${formatNumber(value)}`,
    },
    content,
  );
}

function heatmapOverlay(image, over, name) {
  return h(
    "div.image-frame",
    { role: "img", "aria-label": name },
    h("img.image", { src: `/api/images/${encodeURIComponent(image)}/picture.png`, alt: "" }),
    over ? h("img.heatmap", { src: over, alt: "" }) : null,
  );
}
