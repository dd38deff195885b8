/** The channels of one layer as tiles; more are fetched on scrolling. */

import { fill, h } from "../lib/dom.js";
import { fetchMaps, mapsMaxAbs } from "../lib/feature_maps.js";
import { className, session } from "../lib/session.js";
import { valueColor, needsLightText } from "../lib/color_scale.js";
import { formatNumber } from "../lib/numbers.js";
import { refreshTabStop, gridKeys } from "../lib/grid_keys.js";
import { mapCanvas } from "../lib/map_painting.js";
import { errorMessage } from "./error_message.js";

const PAGE = 48;
const PAGE_OF_UNITS = 1024;

/**
 * The tiles of a layer.
 * @param {(channel: number) => void} onPick
 * @returns {{element: HTMLElement, show: (request: {image: string, layer: string, vector: boolean, total: number, sort:
 *   string, output: boolean}) => void, select: (channel: number) => void}}
 */
export function channelTiles(onPick) {
  const element = gridKeys(h("div.tiles", { role: "group", "aria-label": "Channels" }));
  const state = { key: "", selected: null, observer: null, scale: 0 };
  const show = (request) => {
    const key = JSON.stringify([request, session.run.network]);
    if (key === state.key) return;
    Object.assign(state, { key, scale: 0 });
    state.observer?.disconnect();
    element.classList.toggle("units", request.vector);
    element.classList.toggle("named", request.output);
    element.style.setProperty(
      "--tile-width",
      request.total <= 8 ? "7.5rem" : request.total <= 32 ? "5.6rem" : "4.6rem",
    );
    showPage(element, state, request, 0, onPick, true);
  };
  return {
    element,
    show,
    select: (channel) => {
      state.selected = channel;
      markChannel(element, channel);
    },
  };
}

async function showPage(element, state, request, from, onPick, first = false) {
  const page = request.vector ? PAGE_OF_UNITS : PAGE;
  const { key } = state;
  const to = Math.min(request.total, from + page);
  let response;
  try {
    const options = request.vector ? { from, to, values: "float" } : { from, to, side: 56, sort: request.sort };
    response = await fetchMaps(request.image, request.layer, { ...options, network: session.run.network });
  } catch (error) {
    if (state.key === key) fill(element, errorMessage(error));
    state.key = "";
    return;
  }
  if (state.key !== key) return;
  state.scale = Math.max(state.scale, mapsMaxAbs(response.maps));
  const tiles = response.maps.map((map) =>
    request.vector ? unitTile(map, state.scale, request.output, onPick) : mapTile(map, state.scale, onPick),
  );
  element.querySelector(".more")?.remove();
  if (first) fill(element, tiles);
  else element.append(...tiles);
  markChannel(element, state.selected);
  if (to < request.total)
    loadOnScroll(element, state, () => showPage(element, state, request, to, onPick), request.total - to);
}

function loadOnScroll(element, state, load, remaining) {
  const more = h("button.more", { type: "button", on: { click: load } }, `${remaining.toLocaleString("en-US")} more`);
  element.append(more);
  state.observer?.disconnect();
  state.observer = new IntersectionObserver(
    (entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      state.observer.disconnect();
      load();
    },
    { rootMargin: "200px" },
  );
  state.observer.observe(more);
}

function mapTile(map, scale, onPick) {
  const constant = map.low === map.high;
  const range = constant
    ? `constant, ${formatNumber(map.low)}`
    : `from ${formatNumber(map.low)} to ${formatNumber(map.high)}`;
  return h(
    "button",
    {
      type: "button",
      class: `tile${constant ? " constant" : ""}`,
      "data-channel": map.channel,
      "aria-label": `Channel ${map.channel}, ${range}`,
      title: `channel ${map.channel}: ${range}`,
      on: { click: () => onPick(map.channel) },
    },
    mapCanvas(map, scale),
    h("span", {}, map.channel),
  );
}

function unitTile(map, scale, output, onPick) {
  const [value] = map.values;
  const label = output ? className(map.channel) : `unit ${map.channel}`;
  const lightText = needsLightText(value, scale);
  return h(
    "button",
    {
      type: "button",
      class: `tile unit${lightText ? " light-text" : ""}`,
      "data-channel": map.channel,
      title: `${label}: ${formatNumber(value)}`,
      style: { "background-color": valueColor(value, scale) },
      on: { click: () => onPick(map.channel) },
    },
    h("b", {}, output ? label : [h("span.visually-hidden", {}, "unit "), map.channel]),
    " ",
    h("span", {}, formatNumber(value)),
  );
}

function markChannel(element, channel) {
  for (const button of element.querySelectorAll(".tile"))
    button.setAttribute("aria-pressed", String(Number(button.dataset.channel) === channel));
  refreshTabStop(element);
}
