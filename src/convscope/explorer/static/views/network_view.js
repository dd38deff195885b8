/** View: the network with the feature maps of an image, the channels of one layer, and the map of one channel. */

import { mapStrip } from "../widgets/map_strip.js";
import { channelTiles } from "../widgets/channel_tiles.js";
import { errorMessage } from "../widgets/error_message.js";
import { selectField } from "../widgets/select_field.js";
import { viewHeader } from "../widgets/view_header.js";
import { formatCount } from "../lib/numbers.js";
import { receptiveFields } from "../lib/receptive_fields.js";
import { fill, h } from "../lib/dom.js";
import { withTerms } from "../lib/glossary.js";
import {
  findNode,
  outputNames,
  ancestors,
  formatShape,
  layerLabel,
  stageOf,
  stages,
  mapShape,
} from "../lib/network_tree.js";
import { navigate, currentRoute } from "../lib/router.js";
import { fetchMaps, mapsMaxAbs, peakOf, strongestChannel } from "../lib/feature_maps.js";
import { mapViewer } from "../widgets/map_viewer.js";
import { session } from "../lib/session.js";
import { loadMapStrip } from "../widgets/map_strip_loader.js";
import { mapCanvas } from "../lib/map_painting.js";
import { tryWithout } from "../widgets/try_without.js";

/**
 * The view.
 * @param {{sidebar: any}} page
 */
export function networkView({ sidebar }) {
  const open = (params) => navigate("network", { ...currentRoute().params, ...params });
  const unit = (row, column) => navigate("unit", { ...state.params, row, column });
  const state = { params: {}, strip: null, network: null, loadedKey: "", boxes: () => null };
  const tiles = channelTiles((channel) =>
    isVector(state.params.layer)
      ? navigate("unit", { ...state.params, channel, row: 0, column: 0 })
      : open({ channel, row: null, column: null }),
  );
  const viewer = mapViewer({
    name: "Feature map of the channel",
    onMove: (row, column) => sidebar.showField(state.boxes(row, column)),
    onPick: unit,
  });
  const stripHolder = h("div.strip-holder");
  const layerChips = h("div.stack.compact.no-screenshot", { role: "group", "aria-label": "Layers of this stage" });
  const summary = h("p.muted");
  const channelCard = h("section.card.stack.channel-card");
  const channelsCard = h("section.card.stack");
  const without = tryWithout();
  const element = h("div.stack", {});
  fill(
    element,
    viewHeader(
      "Feature maps",
      "The network from input to output, with the feature maps of the image at each stage. Choose a stage, a channel, then a position on its map.",
      () => document.getElementById("layout"),
    ),
    stripHolder,
    h("div.network-detail", {}, channelsCard, channelCard),
    without.element,
  );
  const parts = { tiles, viewer, stripHolder, layerChips, summary, channelCard, channelsCard, sidebar, open, without };
  return { element, show: (params) => show(state, parts, params), leave: () => sidebar.showField(null) };
}

async function show(state, parts, params) {
  if (state.network !== session.network) rebuildStrip(state, parts);
  const layer = findNode(session.network, params.layer ?? "") ? params.layer : state.stages[0].name;
  const node = findNode(session.network, layer);
  const [total, height, width] = mapShape(node.shape);
  const vector = height * width === 1;
  const key = JSON.stringify([params, session.run.network]);
  state.showing = key;
  const channel = await chosenChannel(params, layer, total);
  if (state.showing !== key) return;
  state.params = { image: params.image, layer, channel };
  state.strip.select(stageOf(state.stages, session.network, layer)?.name);
  loadStrip(state, params.image);
  parts.without.show(params.image);
  showLayer(state, parts, node, params.sort ?? "strength");
  parts.tiles.select(channel);
  parts.tiles.show({
    image: params.image,
    layer,
    vector,
    total,
    sort: params.sort ?? "strength",
    output: vector && total === session.run.classes.length && node.name === session.network.output,
  });
  await showChannel(state, parts, node, channel, params);
}

/** The channel of the address, else the strongest for this image: others may be zero everywhere. */
async function chosenChannel({ image, channel }, layer, total) {
  if (channel !== undefined && channel !== null && channel !== "") return Math.min(Number(channel) || 0, total - 1);
  return strongestChannel(image, layer, session.run.network).catch(() => 0);
}

function rebuildStrip(state, { stripHolder, open }) {
  state.network = session.network;
  state.stages = stages(session.network);
  state.loadedKey = "";
  state.strip = mapStrip(state.stages, {
    input: session.network.input,
    outputs: outputNames(session),
    onPick: (layer) => open({ layer, channel: null, row: null, column: null }),
    onChannel: (layer, channel) => open({ layer, channel, row: null, column: null }),
  });
  fill(stripHolder, state.strip.element);
}

async function loadStrip(state, image) {
  const key = `${image} ${session.run.network}`;
  if (state.loadedKey === key) return;
  state.loadedKey = key;
  const complete = await loadMapStrip(state.strip, state.stages, image, {
    sort: "strength",
    isCurrent: () => state.loadedKey === key,
  });
  if (!complete && state.loadedKey === key) state.loadedKey = "";
}

function showLayer(state, { channelsCard, layerChips, summary, tiles, open }, node, sort) {
  const section = stageOf(state.stages, session.network, node.name);
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
    layerChips,
    ancestors(section, node.name).map((ancestor, depth) =>
      h(
        "div.chips",
        {},
        chip(ancestor, depth ? `all of ${ancestor.label}` : "whole stage"),
        ancestor.children.map((child) => chip(child, `${child.label}${child.children.length ? " ›" : ""}`)),
      ),
    ),
  );
  const [total, height, width] = mapShape(node.shape);
  const sizeText =
    height * width === 1 ? formatCount(total, "unit") : `${formatCount(total, "channel")} of ${height} × ${width}`;
  fill(summary, withTerms(`${sizeText}. ${nodeDescription(node)}`));
  const order =
    total > 2 && height * width > 1
      ? selectField(
          "Order",
          [
            ["strength", "by strength"],
            ["order", "by index"],
          ],
          sort,
          (value) => open({ sort: value }),
        )
      : null;
  fill(
    channelsCard,
    h("div.row.space-between", {}, h("h2", {}, layerLabel(node.name)), order),
    summary,
    layerChips,
    tiles.element,
  );
}

async function showChannel(state, { channelCard, viewer, sidebar }, node, channel, params) {
  const key = JSON.stringify([state.params, session.run.network]);
  channelCard.hidden = isVector(node.name);
  if (channelCard.hidden) return sidebar.showField(null);
  try {
    const response = await fetchMaps(params.image, node.name, {
      from: channel,
      to: channel + 1,
      values: "float",
      network: session.run.network,
    });
    if (key !== JSON.stringify([state.params, session.run.network])) return undefined;
    const peak = peakOf(response.maps[0]);
    const row = Number(params.row ?? peak[0]);
    const column = Number(params.column ?? peak[1]);
    fill(
      channelCard,
      h("h2", {}, `Channel ${channel}`),
      viewer.element,
      scaleLegend(mapsMaxAbs(response.maps)),
      h(
        "p.muted.small",
        {},
        "Click a position, or move with the arrow keys and press Enter, to see how its value is computed.",
      ),
    );
    viewer.show(response.maps[0], mapsMaxAbs(response.maps), row, column);
    state.boxes = await receptiveFields(params.image, node);
    sidebar.showField(state.boxes(row, column));
  } catch (error) {
    fill(channelCard, errorMessage(error));
  }
  return undefined;
}

/**
 * The legend of the colour scale.
 * @param {number} scale
 * @returns {HTMLElement}
 */
export function scaleLegend(scale) {
  const labels = scale ? [`−${scale.toPrecision(3)}`, "0", `+${scale.toPrecision(3)}`] : ["", "0", ""];
  const ramp = { values: Float32Array.from({ length: 201 }, (_, i) => i / 100 - 1), height: 1, width: 201 };
  return h(
    "div.legend",
    {
      role: "img",
      "aria-label": `Colour scale: cool is negative, down to ${labels[0]}; warm is positive, up to ${labels[2]}`,
    },
    mapCanvas(ramp, 1),
    h(
      "div.row.space-between",
      {},
      labels.map((text) => h("span", {}, text)),
    ),
  );
}

function isVector(layer) {
  const [, height, width] = mapShape(findNode(session.network, layer).shape);
  return height * width === 1;
}

function nodeDescription(node) {
  const fieldText = node.rf_size ? `Receptive field: ${formatShape(node.rf_size)} pixels.` : "";
  return [node.description ? `${node.description[0].toUpperCase()}${node.description.slice(1)}.` : "", fieldText].filter(Boolean).join(" ");
}
