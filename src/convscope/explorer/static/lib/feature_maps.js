/** Feature maps: fetched when seen, decoded from bytes, kept while the network and the image are the same. */

import { bytes, get } from "./api.js";

const MOST_KEPT = 400;
const kept = new Map();

/**
 * One channel's answer.
 * @typedef {{channel: number, values: Float32Array, height: number, width: number, low: number, high: number}}
 *   FeatureMap
 * @typedef {{layer: string, total: number, full: [number, number], kind: "maps" | "vector", low: any, high: any,
 *   maps: FeatureMap[]}} Maps
 */

/**
 * Maps of some channels.
 * @param {string} image
 * @param {string} layer
 * @param {{from?: number, to?: number, side?: number, sort?: string, values?: string, network?: string}} [how]
 * @returns {Promise<Maps>}
 */
export function maps(image, layer, { network = "", ...how } = {}) {
  return remembered(JSON.stringify([network, image, layer, how]), () =>
    bytes(`inputs/${encodeURIComponent(image)}/maps`, { layer, ...how }).then(decode),
  );
}

/**
 * What is said of every channel of a layer, without its maps.
 * @returns {Promise<{total: number, full: [number, number], mean: number[], low: number[], high: number[], empty:
 *   number[]}>}
 */
export function summary(image, layer, network = "") {
  return remembered(JSON.stringify([network, image, layer, "summary"]), () =>
    get(`inputs/${encodeURIComponent(image)}/maps/summary`, { layer }),
  );
}

/**
 * Read the server's binary answer (docs/explorer-api.md: CSM1).
 * @param {ArrayBuffer} buffer
 * @returns {Maps}
 */
export function decode(buffer) {
  const view = new DataView(buffer);
  if (view.getUint32(0, false) !== 0x43534d31) throw new Error("maps: the answer does not begin with CSM1");
  const length = view.getUint32(4, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  const [height, width] = head.shape;
  const read = head.values === "float" ? floats : scaled;
  const found = read(buffer, 8 + length, head.channels.length, height * width);
  const one = (channel, i) => ({ channel, height, width, ...found(i) });
  return { ...head, maps: head.channels.map(one) };
}

/**
 * The value that takes the full colour when maps share one scale.
 * @param {FeatureMap[]} some
 * @returns {number}
 */
export function most(some) {
  return some.reduce((seen, map) => Math.max(seen, Math.abs(map.low), Math.abs(map.high)), 0);
}

function scaled(buffer, start, channels, places) {
  const low = new Float32Array(buffer, start, channels);
  const high = new Float32Array(buffer, start + 4 * channels, channels);
  const all = new Uint8Array(buffer, start + 8 * channels, channels * places);
  return (i) => {
    const values = new Float32Array(places);
    const step = (high[i] - low[i]) / 255;
    for (let at = 0; at < places; at += 1) values[at] = low[i] + step * all[i * places + at];
    return { values, low: low[i], high: high[i] };
  };
}

function floats(buffer, start, channels, places) {
  const all = new Float32Array(buffer, start, channels * places);
  return (i) => {
    const values = all.slice(i * places, (i + 1) * places);
    return {
      values,
      low: values.reduce((a, b) => Math.min(a, b), Infinity),
      high: values.reduce((a, b) => Math.max(a, b), -Infinity),
    };
  };
}

function remembered(key, make) {
  if (!kept.has(key)) {
    const made = make();
    kept.set(key, made);
    made.catch(() => kept.delete(key));
    if (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value);
  }
  return kept.get(key);
}
