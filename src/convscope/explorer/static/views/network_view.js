/** View: the whole network with the picture's maps in it, then one layer's channels, then one channel's places. */

import { band } from "../widgets/map_strip.js";
import { channels } from "../widgets/channel_tiles.js";
import { choice, head, trouble } from "../widgets/parts.js";
import { count } from "../lib/numbers.js";
import { fieldsOf } from "../lib/receptive_fields.js";
import { fill, h } from "../lib/dom.js";
import { find, outputs, path, shape, spoken, stopOf, stops, volume } from "../lib/network_tree.js";
import { go, here } from "../lib/router.js";
import { maps, most } from "../lib/feature_maps.js";
import { pixels } from "../widgets/map_viewer.js";
import { session } from "../lib/session.js";
import { stand } from "../widgets/map_strip_loader.js";
import { tile } from "../lib/map_painting.js";

/**
 * The view.
 * @param {{rail: any}} page
 */
export function landscape({ rail }) {
  const open = (said) => go("landscape", { ...here().said, ...said });
  const unit = (row, column) => go("unit", { ...held.said, row, column });
  const held = { said: {}, band: null, of: null, drawn: "", boxes: () => null };
  const all = channels((channel) =>
    isVector(held.said.layer)
      ? go("unit", { ...held.said, channel, row: 0, column: 0 })
      : open({ channel, row: null, column: null }),
  );
  const one = pixels({
    name: "The channel’s map",
    onMove: (row, column) => rail.field(held.boxes(row, column)),
    onPick: unit,
  });
  const shelf = h("div.shelf");
  const inside = h("div.stack.close.unsaved", { role: "group", "aria-label": "Layers of this stage" });
  const about = h("p.soft");
  const detail = h("section.card.stack.detail");
  const gridded = h("section.card.stack");
  const element = h("div.stack", {});
  fill(
    element,
    head(
      "Landscape",
      "The network from left to right, with what each stage makes of the picture. Choose a stage, a channel, then a place on its map.",
      () => document.getElementById("frame"),
    ),
    shelf,
    h("div.zoom", {}, gridded, detail),
  );
  const parts = { all, one, shelf, inside, about, detail, gridded, rail, open };
  return { element, show: (said) => show(held, parts, said), leave: () => rail.field(null) };
}

async function show(held, parts, said) {
  if (held.of !== session.network) raise(held, parts);
  const layer = find(session.network, said.layer ?? "") ? said.layer : held.stops[0].name;
  const node = find(session.network, layer);
  const [total, height, width] = volume(node.shape);
  const vector = height * width === 1;
  const channel = Math.min(Number(said.channel ?? 0) || 0, total - 1);
  held.said = { image: said.image, layer, channel };
  held.band.choose(stopOf(held.stops, session.network, layer)?.name);
  drawBand(held, said.image);
  showLayer(held, parts, node, said.sort ?? "strength");
  parts.all.choose(channel);
  parts.all.show({
    image: said.image,
    layer,
    vector,
    total,
    sort: said.sort ?? "strength",
    output: vector && total === session.run.classes.length && node.name === session.network.output,
  });
  await showChannel(held, parts, node, channel, said);
}

function raise(held, { shelf, open }) {
  held.of = session.network;
  held.stops = stops(session.network);
  held.drawn = "";
  held.band = band(held.stops, {
    input: session.network.input,
    outputs: outputs(session),
    onPick: (layer) => open({ layer, channel: null, row: null, column: null }),
    onChannel: (layer, channel) => open({ layer, channel, row: null, column: null }),
  });
  fill(shelf, held.band.element);
}

async function drawBand(held, image) {
  const key = `${image} ${session.run.network}`;
  if (held.drawn === key) return;
  held.drawn = key;
  const all = await stand(held.band, held.stops, image, { sort: "strength", wanted: () => held.drawn === key });
  if (!all && held.drawn === key) held.drawn = "";
}

function showLayer(held, { gridded, inside, about, all, open }, node, sort) {
  const section = stopOf(held.stops, session.network, node.name);
  const chip = (layer, label) =>
    h(
      "button",
      {
        type: "button",
        "aria-pressed": String(layer.name === node.name),
        on: { click: () => open({ layer: layer.name, channel: null, row: null, column: null }) },
      },
      label,
    );
  fill(
    inside,
    path(section, node.name).map((around, depth) =>
      h(
        "div.chips",
        {},
        chip(around, depth ? `all of ${around.label}` : "whole stage"),
        around.children.map((one) => chip(one, `${one.label}${one.children.length ? " ›" : ""}`)),
      ),
    ),
  );
  const [total, height, width] = volume(node.shape);
  const many = height * width === 1 ? count(total, "unit") : `${count(total, "channel")} of ${height} × ${width}`;
  fill(about, `${many}. ${sentence(node)}`);
  const order =
    total > 2 && height * width > 1
      ? choice(
          "Order",
          [
            ["strength", "strongest first"],
            ["order", "as they are numbered"],
          ],
          sort,
          (value) => open({ sort: value }),
        )
      : null;
  fill(gridded, h("div.row.spread", {}, h("h2", {}, spoken(node.name)), order), about, inside, all.element);
}

async function showChannel(held, { detail, one, rail }, node, channel, said) {
  const [, height, width] = volume(node.shape);
  const key = JSON.stringify([held.said, session.run.network]);
  detail.hidden = height * width === 1;
  if (detail.hidden) return rail.field(null);
  try {
    const answer = await maps(said.image, node.name, {
      from: channel,
      to: channel + 1,
      values: "float",
      network: session.run.network,
    });
    if (key !== JSON.stringify([held.said, session.run.network])) return undefined;
    const row = Number(said.row ?? Math.floor(height / 2));
    const column = Number(said.column ?? Math.floor(width / 2));
    fill(
      detail,
      h("h2", {}, `Channel ${channel}`),
      one.element,
      legend(most(answer.maps)),
      h(
        "p.soft.small",
        {},
        "Click a place, or move with the arrow keys and press Enter, to see the numbers that made it.",
      ),
    );
    one.show(answer.maps[0], most(answer.maps), row, column);
    held.boxes = await fieldsOf(said.image, node);
    rail.field(held.boxes(row, column));
  } catch (error) {
    fill(detail, trouble(error));
  }
  return undefined;
}

/**
 * The scale's legend.
 * @param {number} scale
 * @returns {HTMLElement}
 */
export function legend(scale) {
  const said = scale ? [`−${scale.toPrecision(3)}`, "0", `+${scale.toPrecision(3)}`] : ["", "0", ""];
  const ramp = { values: Float32Array.from({ length: 201 }, (_, i) => i / 100 - 1), height: 1, width: 201 };
  return h(
    "div.legend",
    { role: "img", "aria-label": `Colours: cool is negative, down to ${said[0]}; warm is positive, up to ${said[2]}` },
    tile(ramp, 1),
    h(
      "div.row.spread",
      {},
      said.map((text) => h("span", {}, text)),
    ),
  );
}

function isVector(layer) {
  const [, height, width] = volume(find(session.network, layer).shape);
  return height * width === 1;
}

function sentence(node) {
  const seen = node.field ? `Each unit sees ${shape(node.field)} pixels of the picture.` : "";
  return [node.says ? `${node.says[0].toUpperCase()}${node.says.slice(1)}.` : "", seen].filter(Boolean).join(" ");
}
