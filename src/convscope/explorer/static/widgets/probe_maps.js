/** The maps of the images that were watched during training, as they were at one epoch. */

import { bytes, get } from "../lib/api.js";
import { choice, thumbs, trouble } from "./parts.js";
import { className, session } from "../lib/session.js";
import { decode, most } from "../lib/feature_maps.js";
import { fill, h } from "../lib/dom.js";
import { go } from "../lib/router.js";
import { figure } from "../lib/numbers.js";
import { refresh, roving } from "../lib/grid_keys.js";
import { spoken } from "../lib/network_tree.js";
import { tile } from "../lib/map_painting.js";

/**
 * Show them in an element.
 * @param {{probes: any, films: Map<string, any>}} held what was fetched before
 * @param {HTMLElement} element
 * @param {number} epoch
 * @param {{probe?: string, film?: string}} said which image, which layer
 * @param {(said: any) => void} open
 * @param {AbortSignal} signal
 */
export async function film(held, element, epoch, said, open, signal) {
  const title = h("h2", {}, `What it made of a picture at epoch ${epoch}`);
  if (!session.run.views.probes)
    return fill(
      element,
      title,
      h("p.soft", {}, session.run.why_not?.probes ?? "No maps were kept while this network trained."),
    );
  try {
    held.probes ??= await get("probes");
  } catch (error) {
    return fill(element, title, h("p.soft", {}, error.message));
  }
  const { images, layers, note } = held.probes;
  const probe = Math.max(0, Math.min(images.length - 1, Number(said.probe) || 0));
  const layer = layers.find((one) => one.layer === said.film) ?? layers[0];
  const near = layer.epochs.reduce(
    (best, at) => (Math.abs(at - epoch) < Math.abs(best - epoch) ? at : best),
    layer.epochs[0],
  );
  const shown = await frame(held, layer.layer, probe, near).catch((error) => error);
  if (signal.aborted) return undefined;
  if (shown instanceof Error) return fill(element, title, trouble(shown));
  const focused = element.contains(document.activeElement) ? document.activeElement.dataset.id : null;
  const tiles = shown.maps.map((map) => channel(map, shown, layer.layer, images[probe]));
  const named = { role: "group", "aria-label": `Channels of ${layer.layer} at epoch ${near}` };
  const told = `${near === epoch ? "" : `The nearest epoch that was kept is ${near}. `}${note}`;
  fill(
    element,
    title,
    h("div.row", {}, layerChoice(layers, layer, open)),
    whichImage(images, probe, open),
    roving(h("div.tiles.film", named, tiles)),
    h("p.soft.small", {}, told),
  );
  if (focused) element.querySelector(`[data-id="${CSS.escape(focused)}"]`)?.focus();
  return refresh(element.querySelector(".film"));
}

function layerChoice(layers, layer, open) {
  const options = layers.map((one) => [one.layer, spoken(one.layer)]);
  return choice("Layer", options, layer.layer, (value) => open({ film: value }));
}

function whichImage(images, probe, open) {
  return thumbs(images, {
    onPick: (image) => open({ probe: images.indexOf(image) }),
    chosen: images[probe].id,
    line: (image) => (image.truth === null ? image.name : className(image.truth)),
  });
}

function channel(map, shown, layer, image) {
  const place = shown.maps.indexOf(map);
  const range = shown.scale?.[place] ?? [map.low, map.high];
  const scale = Math.max(Math.abs(range[0]), Math.abs(range[1]), 0) || most([map]);
  return h(
    "button.tile",
    {
      type: "button",
      "aria-label": `Channel ${map.channel}, from ${figure(map.low)} to ${figure(map.high)}`,
      on: { click: () => go("landscape", { image: image.id, layer, channel: map.channel }) },
    },
    tile(map, scale),
    h("span", {}, map.channel),
  );
}

function frame(held, layer, probe, epoch) {
  const key = `${layer} ${probe} ${epoch}`;
  if (!held.films.has(key)) held.films.set(key, bytes("probes/maps", { layer, probe, epoch }).then(decode));
  return held.films.get(key);
}
