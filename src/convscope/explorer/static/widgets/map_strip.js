/** The landscape: the network's stops from left to right, with the real maps of the picture standing in them. */

import { fill, h } from "../lib/dom.js";
import { folded, layout, sheet, sheets, under } from "./map_strip_layout.js";
import { most } from "../lib/feature_maps.js";
import { shape, spoken, volume } from "../lib/network_tree.js";
import { redrawn } from "../lib/theme.js";
import { refresh, roving } from "../lib/grid_keys.js";
import { tile } from "../lib/map_painting.js";

/**
 * The landscape of a network.
 * @param {import("../lib/network_tree.js").Node[]} stops
 * @param {{input: number[], outputs?: string[], onPick?: (layer: string) => void, onChannel?: (layer: string,
 *   channel: number, u: number, v: number) => void}} how
 * @returns {{element: HTMLElement, picture: (image: CanvasImageSource) => void, maps: (layer: string, maps: any) =>
 *   void, choose: (layer: string) => void}}
 */
export function band(stops, { input, outputs = [], onPick, onChannel }) {
  const all = [{ name: "input", shape: input, field: null }, ...stops];
  const canvas = h("canvas.range", { "aria-hidden": "true" });
  const tip = h("div.tip", { hidden: true, "aria-hidden": "true" });
  const names = roving(
    h("div.stops", { role: "group", "aria-label": "Stages of the network, from the picture to the answer" }),
  );
  const stage = h("div.stage", {}, canvas, tip, names);
  const element = h("div.band", {}, stage);
  const held = { all, shown: new Map(), chosen: "", hover: null, laid: layout(all, 900), canvas, outputs, names };
  const redraw = () => draw(held);
  const place = () => settle(held, stage, element, { onPick, redraw });
  new ResizeObserver(place).observe(element);
  redrawn(element, redraw);
  canvas.addEventListener("pointermove", (event) => hover(held, event, tip, redraw));
  canvas.addEventListener("pointerleave", () => {
    held.hover = null;
    tip.hidden = true;
    redraw();
  });
  canvas.addEventListener("click", (event) => click(held, event, onPick, onChannel));
  place();
  return {
    element,
    picture: (image) => {
      held.shown.set("input", { sheets: [image], channels: [0] });
      redraw();
    },
    maps: (layer, answer) => {
      held.shown.set(layer, prepared(answer));
      redraw();
    },
    choose: (layer) => {
      held.chosen = layer;
      mark(names, layer);
      redraw();
    },
  };
}

/** @returns {number} how many channels of a stop the landscape asks for */
export function wanted(node) {
  const [channels, height, width] = volume(node.shape);
  return height * width === 1 ? Math.min(channels, 4096) : sheets(channels);
}

function prepared(answer) {
  if (answer.kind === "vector" || answer.maps[0]?.values.length === 1)
    return { sheets: [vector(answer)], channels: [null], values: answer.maps.map((map) => map.values[0]) };
  const scale = most(answer.maps);
  return { sheets: answer.maps.map((map) => tile(map, scale)), channels: answer.channels };
}

function vector(answer) {
  const [height, width] = folded(answer.maps.length);
  const values = new Float32Array(height * width);
  answer.maps.forEach((map, i) => {
    values[i] = map.values[0];
  });
  return tile({ values, height, width }, most(answer.maps));
}

function settle(held, stage, element, { onPick, redraw }) {
  const available = element.clientWidth || 900;
  held.laid = layout(held.all, available, room(held.outputs));
  const { width, height, zoom, places, shift } = held.laid;
  stage.style.setProperty("width", `${width}px`);
  const dense = window.devicePixelRatio || 1;
  [held.canvas.width, held.canvas.height] = [Math.round(width * dense), Math.round(height * dense)];
  held.canvas.style.setProperty("width", `${width}px`);
  held.canvas.style.setProperty("height", `${height}px`);
  fill(
    held.names,
    held.all.map((node, i) => label(node, places[i], zoom, shift, onPick)),
  );
  mark(held.names, held.chosen);
  redraw();
}

function label(node, place, zoom, shift, onPick) {
  const sees = node.field ? `sees ${node.field.join(" × ")}` : "";
  return h(
    "button.stop",
    {
      type: "button",
      "data-layer": node.name,
      disabled: node.name === "input",
      style: { left: `${place.left * zoom + shift}px`, width: `${place.width * zoom}px` },
      on: { click: () => onPick?.(node.name) },
    },
    h("b", {}, node.name === "input" ? "picture" : spoken(node.name)),
    h("span", {}, shape(node.shape)),
    sees ? h("span.sees", {}, sees) : null,
  );
}

function mark(names, layer) {
  for (const button of names.children) button.setAttribute("aria-pressed", String(button.dataset.layer === layer));
  refresh(names);
}

function room(outputs) {
  return outputs.length ? Math.min(90, 8 + 6 * Math.max(...outputs.map((name) => name.length))) : 0;
}

function draw({ all, shown, laid, canvas, hover: over, chosen, outputs }) {
  const context = canvas.getContext("2d");
  const dense = window.devicePixelRatio || 1;
  const look = getComputedStyle(document.documentElement);
  const ink = {
    line: look.getPropertyValue("--edge"),
    faint: look.getPropertyValue("--line"),
    accent: look.getPropertyValue("--accent"),
    card: look.getPropertyValue("--sunk"),
  };
  context.setTransform(dense * laid.zoom, 0, 0, dense * laid.zoom, dense * laid.shift, 0);
  context.clearRect(-2000, 0, 9000, 2000);
  context.imageSmoothingEnabled = false;
  laid.places.slice(0, -1).forEach((place, i) => rays(context, place, laid.places[i + 1], ink));
  if (outputs.length) answerNames(context, laid.places.at(-1), shown.get(all.at(-1).name)?.values, outputs, look);
  laid.places.forEach((place, i) => {
    const has = shown.get(all[i].name);
    for (let nth = place.count - 1; nth >= 0; nth -= 1)
      drawSheet(context, sheet(place, nth), has?.sheets[nth], ink, all[i].name === chosen);
    if (over?.stop === i && !place.vector)
      drawSheet(context, lifted(sheet(place, over.nth)), has?.sheets[over.nth], { ...ink, line: ink.accent }, true);
  });
}

function answerNames(context, place, values, outputs, look) {
  const at = sheet(place, 0);
  const [rows] = folded(outputs.length);
  const best = values ? values.indexOf(Math.max(...values)) : -1;
  const size = Math.min(11, (0.92 * at.tall) / rows);
  outputs.forEach((name, i) => {
    context.font = `${i === best ? 700 : 400} ${size}px ${look.getPropertyValue("--sans")}`;
    context.fillStyle = look.getPropertyValue(i === best ? "--ink" : "--soft");
    context.textBaseline = "middle";
    context.fillText(
      name.length > 14 ? `${name.slice(0, 13)}…` : name,
      at.x + at.ex + 5,
      at.y - at.ey + ((i + 0.5) * at.tall) / rows,
    );
  });
}

function lifted(at) {
  return { ...at, y: at.y - 12 };
}

function drawSheet(context, at, image, ink, chosen) {
  context.save();
  context.transform(at.ex, -at.ey, 0, at.tall, at.x, at.y);
  context.fillStyle = ink.card;
  context.fillRect(0, 0, 1, 1);
  if (image) context.drawImage(image, 0, 0, 1, 1);
  context.restore();
  context.beginPath();
  context.moveTo(at.x, at.y);
  context.lineTo(at.x + at.ex, at.y - at.ey);
  context.lineTo(at.x + at.ex, at.y - at.ey + at.tall);
  context.lineTo(at.x, at.y + at.tall);
  context.closePath();
  context.strokeStyle = chosen ? ink.accent : ink.line;
  context.lineWidth = chosen ? 1 : 0.5;
  context.stroke();
}

function rays(context, from, to, ink) {
  const [a, b] = [sheet(from, from.count - 1), sheet(to, 0)];
  context.strokeStyle = ink.faint;
  context.lineWidth = 1;
  context.beginPath();
  for (const down of [0, 1]) {
    context.moveTo(a.x + a.ex, a.y - a.ey + down * a.tall);
    context.lineTo(b.x, b.y + down * b.tall);
  }
  context.stroke();
}

function spot(held, event) {
  const box = held.canvas.getBoundingClientRect();
  const { zoom, shift, places } = held.laid;
  return under(places, (event.clientX - box.left - shift) / zoom, (event.clientY - box.top) / zoom);
}

function hover(held, event, tip, redraw) {
  const found = spot(held, event);
  const same = found?.stop === held.hover?.stop && found?.nth === held.hover?.nth;
  held.hover = found;
  held.canvas.style.setProperty("cursor", found && found.stop ? "pointer" : "default");
  if (!same) redraw();
  const node = found && held.all[found.stop];
  const channel = node && held.shown.get(node.name)?.channels[found.nth];
  tip.hidden = !node || !found.stop || channel === null || channel === undefined;
  if (tip.hidden) return;
  const at = sheet(held.laid.places[found.stop], found.nth);
  tip.textContent = `channel ${channel}`;
  tip.style.setProperty("left", `${(at.x + at.ex) * held.laid.zoom + held.laid.shift}px`);
  tip.style.setProperty("top", `${(at.y - at.ey - 14) * held.laid.zoom}px`);
}

function click(held, event, onPick, onChannel) {
  const found = spot(held, event);
  if (!found || found.stop === 0) return;
  const node = held.all[found.stop];
  const channel = held.shown.get(node.name)?.channels[found.nth];
  if (channel === null || channel === undefined) onPick?.(node.name);
  else onChannel?.(node.name, channel, found.u, found.v);
}
