/** Feature maps: fetched on demand, decoded from bytes, cached per network and image. */

import { getBytes } from "./api.js";

const CACHE_SIZE = 400;
const cache = new Map();

/**
 * The feature map of one channel.
 * @typedef {{channel: number, values: Float32Array, height: number, width: number, low: number, high: number}}
 *   FeatureMap
 * @typedef {{layer: string, total: number, full: [number, number], kind: "maps" | "vector", low: any, high: any,
 *   maps: FeatureMap[]}} Maps
 */

/**
 * Fetch the maps of some channels.
 * @param {string} image
 * @param {string} layer
 * @param {{from?: number, to?: number, side?: number, sort?: string, values?: string, network?: string}} [options]
 * @returns {Promise<Maps>}
 */
export function fetchMaps(image, layer, { network = "", ...options } = {}) {
  return cached(JSON.stringify([network, image, layer, options]), () =>
    getBytes(`inputs/${encodeURIComponent(image)}/maps`, { layer, ...options }).then(decodeMaps),
  );
}

/**
 * Decode the server's binary response (docs/reference/explorer-api.md: CSM1).
 * @param {ArrayBuffer} buffer
 * @returns {Maps}
 */
export function decodeMaps(buffer) {
  const view = new DataView(buffer);
  if (view.getUint32(0, false) !== 0x43534d31)
    throw new Error("feature maps: the response does not begin with CSM1; reload the page");
  const length = view.getUint32(4, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  const [height, width] = header.shape;
  const reader = header.values === "float" ? floatReader : byteReader;
  const readChannel = reader(buffer, 8 + length, header.channels.length, height * width);
  const toMap = (channel, i) => ({ channel, height, width, ...readChannel(i) });
  return { ...header, maps: header.channels.map(toMap) };
}

/**
 * The channel with the largest mean magnitude for an image.
 * @returns {Promise<number>}
 */
export async function strongestChannel(image, layer, network) {
  const { maps } = await fetchMaps(image, layer, { from: 0, to: 1, side: 56, sort: "strength", network });
  return maps[0].channel;
}

/**
 * The position of the largest magnitude of a map.
 * @param {FeatureMap} map
 * @returns {[number, number]} row and column
 */
export function peakOf({ values, width }) {
  let best = 0;
  for (let i = 1; i < values.length; i += 1) if (Math.abs(values[i]) > Math.abs(values[best])) best = i;
  return [Math.floor(best / width), best % width];
}

/**
 * The largest absolute value over several maps, for a shared colour scale.
 * @param {FeatureMap[]} maps
 * @returns {number}
 */
export function mapsMaxAbs(maps) {
  return maps.reduce((largest, map) => Math.max(largest, Math.abs(map.low), Math.abs(map.high)), 0);
}

function byteReader(buffer, start, channels, size) {
  const low = new Float32Array(buffer, start, channels);
  const high = new Float32Array(buffer, start + 4 * channels, channels);
  const all = new Uint8Array(buffer, start + 8 * channels, channels * size);
  return (i) => {
    const values = new Float32Array(size);
    const step = (high[i] - low[i]) / 255;
    for (let k = 0; k < size; k += 1) values[k] = low[i] + step * all[i * size + k];
    return { values, low: low[i], high: high[i] };
  };
}

function floatReader(buffer, start, channels, size) {
  const all = new Float32Array(buffer, start, channels * size);
  return (i) => {
    const values = all.slice(i * size, (i + 1) * size);
    return {
      values,
      low: values.reduce((a, b) => Math.min(a, b), Infinity),
      high: values.reduce((a, b) => Math.max(a, b), -Infinity),
    };
  };
}

function cached(key, request) {
  if (!cache.has(key)) {
    const promise = request();
    cache.set(key, promise);
    promise.catch(() => cache.delete(key));
    if (cache.size > CACHE_SIZE) cache.delete(cache.keys().next().value);
  }
  return cache.get(key);
}
