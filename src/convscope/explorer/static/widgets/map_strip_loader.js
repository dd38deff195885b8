/** A picture and what the network makes of it, brought into the landscape as they arrive. */

import { address } from "../lib/api.js";
import { wanted } from "./map_strip.js";
import { maps } from "../lib/feature_maps.js";
import { volume } from "../lib/network_tree.js";
import { session } from "../lib/session.js";

/**
 * Fetch a picture and its maps at every stop, and show each when it is there.
 * @param {any} range the landscape, from `band`
 * @param {import("../lib/network_tree.js").Node[]} stops
 * @param {string} image
 * @param {{sort?: "order" | "strength", wanted: () => boolean}} how sort: which channels stand in front; wanted: whether
 *   this picture is still the one to show
 * @returns {Promise<boolean>} whether all of them came
 */
export async function stand(range, stops, image, { sort = "order", wanted: still }) {
  const picture = new Image();
  picture.addEventListener("load", () => {
    if (still()) range.picture(picture);
  });
  picture.src = address(`images/${encodeURIComponent(image)}/picture.png`);
  const came = await Promise.allSettled(
    stops.map(async (stop) => {
      const [, height, width] = volume(stop.shape);
      const order = height * width === 1 ? "order" : sort;
      const how = { from: 0, to: wanted(stop), side: 64, sort: order, network: session.run.network };
      const answer = await maps(image, stop.name, how);
      if (still()) range.maps(stop.name, answer);
    }),
  );
  return came.every(({ status }) => status === "fulfilled");
}
