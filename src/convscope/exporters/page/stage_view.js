/** The feature maps of every stage. */

import { byId, h } from "./dom.js";
import { paintMap } from "./paint.js";

const FIRST = 12; // maps of a stage, the strongest, until all are asked for

/**
 * Show the maps of the stages.
 * @param {object} facts of the page
 * @param {Map} values from `answer`
 * @param {Set<string>} opened labels of the stages whose maps are all shown
 * @param {(label: string) => void} open called when the user asks for all
 */
export function showStages(facts, values, opened, open) {
  const rows = facts.stages
    .map(([label, name]) => [label, values.get(name)])
    .filter(([, maps]) => maps?.shape.length === 4)
    .map(([label, maps]) => stageRow(label, maps, opened.has(label), () => open(label)));
  byId("stages").replaceChildren(...rows);
  byId("stages-card").hidden = rows.length === 0;
}

function stageRow(label, maps, all, open) {
  const [, channels, height, width] = maps.shape;
  const area = height * width;
  const planes = Array.from({ length: channels }, (_, c) => maps.data.subarray(c * area, (c + 1) * area));
  const strength = planes.map((plane) => plane.reduce((total, value) => total + Math.abs(value), 0));
  const order = [...strength.keys()].sort((a, b) => strength[b] - strength[a]);
  const shown = all ? order.sort((a, b) => a - b) : order.slice(0, FIRST);
  const limit = maps.data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const tiles = shown.map((c) => {
    const canvas = h("canvas", { role: "img", "aria-label": `${label}, channel ${c}`, title: `channel ${c}` });
    paintMap(canvas, planes[c], height, width, limit);
    return canvas;
  });
  const size = `${channels} maps of ${height} x ${width}`;
  const more = channels > FIRST && !all
    ? h("button.quiet", { type: "button", onclick: open }, `show all ${channels}`)
    : null;
  return h("section.stage", { "data-stage": label },
    h("header", {}, h("h3", {}, label), h("p.muted", {}, size), more),
    h("div.tiles", {}, ...tiles));
}
