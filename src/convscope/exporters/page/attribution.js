/** Where the network looks: which positions of its last maps support an output. */

import { between, compute } from "./network.js";
import { tensor } from "./tensor.js";

const STEP = 0.01; // of the largest value of a map

/** The value of the last maps before the scores, for `gradCam`; "" if there are none. */
export function lastMaps(network, { scores, stages }, values) {
  const able = stages.filter(
    ([, name]) => scores && values.get(name)?.shape.length === 4 && between(network, name, scores).nodes.length > 0,
  );
  return able.length ? able[able.length - 1][1] : "";
}

/**
 * Grad-CAM (Selvaraju et al. 2017): where the last maps support output `k`, not negative, largest 1.
 *
 * The weight of a map is the slope of the score when the whole map is raised, computed by running the layers after it
 * twice; this needs no backward pass, and is exact where these layers are linear.
 * @param {object} network from `openNetwork`
 * @param {{scores: string}} facts of the page
 * @param {{values: Map}} found from `answer`
 * @param {string} mapsName the value of the maps, (1, C, h, w)
 * @param {number} k the output
 * @returns {{height: number, width: number, data: Float32Array}}
 */
export function gradCam(network, { scores }, { values }, mapsName, k) {
  const maps = values.get(mapsName);
  const rest = between(network, mapsName, scores);
  const [, channels, height, width] = maps.shape;
  const area = height * width;
  const found = new Float32Array(area);
  const kept = new Map([...values].filter(([name]) => !rest.nodes.some(({ output }) => output === name)));
  for (let c = 0; c < channels; c += 1) {
    const plane = maps.data.subarray(c * area, (c + 1) * area);
    const largest = plane.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    if (largest === 0) continue;
    const step = STEP * largest;
    const [up, down] = [step, -step].map((by) => {
      const raised = tensor(maps.shape, maps.data.slice());
      for (let i = c * area; i < (c + 1) * area; i += 1) raised.data[i] += by;
      const given = kept.set(mapsName, raised);
      return compute(rest, given).get(scores).data[k];
    });
    const slope = (up - down) / (2 * step * area);
    for (let i = 0; i < area; i += 1) found[i] += slope * plane[i];
  }
  const most = found.reduce((largest, value) => Math.max(largest, value), 0);
  return { height, width, data: found.map((value) => (most > 0 ? Math.max(0, value) / most : 0)) };
}
