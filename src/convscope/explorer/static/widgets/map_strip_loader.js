/** Loads an image and its feature maps into the map strip, as they arrive. */

import { apiUrl } from "../lib/api.js";
import { sheetCount } from "./map_strip.js";
import { fetchMaps } from "../lib/feature_maps.js";
import { mapShape } from "../lib/network_tree.js";
import { session } from "../lib/session.js";

/**
 * Fetch an image and its maps at every stage, and show each on arrival.
 * @param {any} strip from `mapStrip`
 * @param {import("../lib/network_tree.js").Node[]} stages
 * @param {string} image
 * @param {{sort?: "order" | "strength", isCurrent: () => boolean}} options sort: which channels are in front;
 *   isCurrent: whether this image is still the one to show
 * @returns {Promise<boolean>} whether all of them arrived
 */
export async function loadMapStrip(strip, stages, image, { sort = "order", isCurrent: isCurrent }) {
  const picture = new Image();
  picture.addEventListener("load", () => {
    if (isCurrent()) strip.setImage(picture);
  });
  picture.src = apiUrl(`images/${encodeURIComponent(image)}/picture.png`);
  const results = await Promise.allSettled(
    stages.map(async (stage) => {
      const [, height, width] = mapShape(stage.shape);
      const order = height * width === 1 ? "order" : sort;
      const options = { from: 0, to: sheetCount(stage), side: 64, sort: order, network: session.run.network };
      const response = await fetchMaps(image, stage.name, options);
      if (isCurrent()) strip.setMaps(stage.name, response);
    }),
  );
  return results.every(({ status }) => status === "fulfilled");
}
