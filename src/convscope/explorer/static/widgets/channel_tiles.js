/** The channels of one layer as tiles; more of them are fetched when they come into sight. */

import { fill, h } from "../lib/dom.js";
import { maps, most } from "../lib/feature_maps.js";
import { className, session } from "../lib/session.js";
import { colour, needsLightText } from "../lib/color_scale.js";
import { figure } from "../lib/numbers.js";
import { refresh, roving } from "../lib/grid_keys.js";
import { tile } from "../lib/map_painting.js";
import { trouble } from "./parts.js";

const PAGE = 48;
const PAGE_OF_UNITS = 1024;

/**
 * A layer's tiles.
 * @param {(channel: number) => void} onPick
 * @returns {{element: HTMLElement, show: (asked: {image: string, layer: string, vector: boolean, total: number, sort:
 *   string, output: boolean}) => void, choose: (channel: number) => void}}
 */
export function channels(onPick) {
  const element = roving(h("div.tiles", { role: "group", "aria-label": "Channels" }));
  const held = { key: "", chosen: null, watcher: null, scale: 0 };
  const show = (asked) => {
    const key = JSON.stringify([asked, session.run.network]);
    if (key === held.key) return;
    Object.assign(held, { key, scale: 0 });
    held.watcher?.disconnect();
    element.classList.toggle("units", asked.vector);
    element.classList.toggle("named", asked.output);
    element.style.setProperty("--tile", asked.total <= 8 ? "7.5rem" : asked.total <= 32 ? "5.6rem" : "4.6rem");
    next(element, held, asked, 0, onPick, true);
  };
  return {
    element,
    show,
    choose: (channel) => {
      held.chosen = channel;
      choose(element, channel);
    },
  };
}

async function next(element, held, asked, from, onPick, first = false) {
  const page = asked.vector ? PAGE_OF_UNITS : PAGE;
  const { key } = held;
  const to = Math.min(asked.total, from + page);
  let answer;
  try {
    const how = asked.vector ? { from, to, values: "float" } : { from, to, side: 56, sort: asked.sort };
    answer = await maps(asked.image, asked.layer, { ...how, network: session.run.network });
  } catch (error) {
    if (held.key === key) fill(element, trouble(error));
    held.key = "";
    return;
  }
  if (held.key !== key) return;
  held.scale = Math.max(held.scale, most(answer.maps));
  const made = answer.maps.map((map) =>
    asked.vector ? unitTile(map, held.scale, asked.output, onPick) : mapTile(map, held.scale, onPick),
  );
  element.querySelector(".more")?.remove();
  if (first) fill(element, made);
  else element.append(...made);
  choose(element, held.chosen);
  if (to < asked.total) watch(element, held, () => next(element, held, asked, to, onPick), asked.total - to);
}

function watch(element, held, load, left) {
  const more = h("button.more", { type: "button", on: { click: load } }, `${left.toLocaleString("en-US")} more`);
  element.append(more);
  held.watcher?.disconnect();
  held.watcher = new IntersectionObserver(
    (seen) => {
      if (!seen.some((entry) => entry.isIntersecting)) return;
      held.watcher.disconnect();
      load();
    },
    { rootMargin: "200px" },
  );
  held.watcher.observe(more);
}

function mapTile(map, scale, onPick) {
  const silent = map.low === map.high;
  const said = silent ? `the same everywhere, ${figure(map.low)}` : `from ${figure(map.low)} to ${figure(map.high)}`;
  return h(
    "button",
    {
      type: "button",
      class: `tile${silent ? " silent" : ""}`,
      "data-channel": map.channel,
      "aria-label": `Channel ${map.channel}, ${said}`,
      title: `channel ${map.channel}: ${said}`,
      on: { click: () => onPick(map.channel) },
    },
    tile(map, scale),
    h("span", {}, map.channel),
  );
}

function unitTile(map, scale, output, onPick) {
  const [value] = map.values;
  const named = output ? className(map.channel) : `unit ${map.channel}`;
  const light = needsLightText(value, scale);
  return h(
    "button",
    {
      type: "button",
      class: `tile unit${light ? " light" : ""}`,
      "data-channel": map.channel,
      title: `${named}: ${figure(value)}`,
      style: { "background-color": colour(value, scale) },
      on: { click: () => onPick(map.channel) },
    },
    h("b", {}, output ? named : [h("span.heard", {}, "unit "), map.channel]),
    " ",
    h("span", {}, figure(value)),
  );
}

function choose(element, channel) {
  for (const button of element.querySelectorAll(".tile"))
    button.setAttribute("aria-pressed", String(Number(button.dataset.channel) === channel));
  refresh(element);
}
