/** Feature maps of the probe images, as recorded at one epoch of training. */

import { getBytes, getJson } from "../lib/api.js";
import { errorMessage } from "./error_message.js";
import { selectField } from "./select_field.js";
import { thumbnails } from "./thumbnails.js";
import { className, session } from "../lib/session.js";
import { decodeMaps, mapsMaxAbs } from "../lib/feature_maps.js";
import { fill, h } from "../lib/dom.js";
import { navigate } from "../lib/router.js";
import { formatNumber } from "../lib/numbers.js";
import { refreshTabStop, gridKeys } from "../lib/grid_keys.js";
import { layerLabel } from "../lib/network_tree.js";
import { mapCanvas } from "../lib/map_painting.js";

/**
 * Show them in an element.
 * @param {{probes: any, probeCache: Map<string, any>}} state responses fetched before
 * @param {HTMLElement} element
 * @param {number} epoch
 * @param {{probe?: string, probe_layer?: string}} params index of the image, name of the layer
 * @param {(params: any) => void} open
 * @param {AbortSignal} signal
 */
export async function showProbeMaps(state, element, epoch, params, open, signal) {
  const title = h("h2", {}, `Feature maps at epoch ${epoch}`);
  if (!session.run.views.probes)
    return fill(
      element,
      title,
      h("p.muted", {}, session.run.unavailable?.probes ?? "No feature maps were recorded during training."),
    );
  try {
    state.probes ??= await getJson("probes");
  } catch (error) {
    return fill(element, title, h("p.muted", {}, error.message));
  }
  const { images, layers, note } = state.probes;
  const probe = Math.max(0, Math.min(images.length - 1, Number(params.probe) || 0));
  const layer = layers.find((entry) => entry.layer === params.probe_layer) ?? layers[0];
  const nearestEpoch = layer.epochs.reduce(
    (best, candidate) => (Math.abs(candidate - epoch) < Math.abs(best - epoch) ? candidate : best),
    layer.epochs[0],
  );
  const shown = await probeMaps(state, layer.layer, probe, nearestEpoch).catch((error) => error);
  if (signal.aborted) return undefined;
  if (shown instanceof Error) return fill(element, title, errorMessage(shown));
  const focused = element.contains(document.activeElement) ? document.activeElement.dataset.id : null;
  const tiles = shown.maps.map((map) => channelTile(map, shown, layer.layer, images[probe]));
  const attributes = { role: "group", "aria-label": `Channels of ${layer.layer} at epoch ${nearestEpoch}` };
  const caption = `${nearestEpoch === epoch ? "" : `The nearest recorded epoch is ${nearestEpoch}. `}${note}`;
  fill(
    element,
    title,
    h("div.row", {}, layerField(layers, layer, open)),
    probeImages(images, probe, open),
    gridKeys(h("div.tiles.probe-maps", attributes, tiles)),
    h("p.muted.small", {}, caption),
  );
  if (focused) element.querySelector(`[data-id="${CSS.escape(focused)}"]`)?.focus();
  return refreshTabStop(element.querySelector(".probe-maps"));
}

function layerField(layers, layer, open) {
  const options = layers.map((entry) => [entry.layer, layerLabel(entry.layer)]);
  return selectField("Layer", options, layer.layer, (value) => open({ probe_layer: value }));
}

function probeImages(images, probe, open) {
  return thumbnails(images, {
    onPick: (image) => open({ probe: images.indexOf(image) }),
    selected: images[probe].id,
    line: (image) => (image.truth === null ? image.name : className(image.truth)),
  });
}

function channelTile(map, shown, layer, image) {
  const index = shown.maps.indexOf(map);
  const range = shown.scale?.[index] ?? [map.low, map.high];
  const scale = Math.max(Math.abs(range[0]), Math.abs(range[1]), 0) || mapsMaxAbs([map]);
  return h(
    "button.tile",
    {
      type: "button",
      "aria-label": `Channel ${map.channel}, from ${formatNumber(map.low)} to ${formatNumber(map.high)}`,
      on: { click: () => navigate("network", { image: image.id, layer, channel: map.channel }) },
    },
    mapCanvas(map, scale),
    h("span", {}, map.channel),
  );
}

function probeMaps(state, layer, probe, epoch) {
  const key = `${layer} ${probe} ${epoch}`;
  if (!state.probeCache.has(key))
    state.probeCache.set(key, getBytes("probes/maps", { layer, probe, epoch }).then(decodeMaps));
  return state.probeCache.get(key);
}
