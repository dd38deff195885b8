/** The map strip: the stages of the network from left to right, drawn as 3-D stacks of the image's feature maps. */

import { fill, h } from "../lib/dom.js";
import { vectorGrid, stripLayout, sheetCorner, maxSheets, sheetAt } from "./map_strip_layout.js";
import { mapsMaxAbs } from "../lib/feature_maps.js";
import { formatShape, layerLabel, mapShape } from "../lib/network_tree.js";
import { redrawOnThemeChange } from "../lib/theme.js";
import { refreshTabStop, gridKeys } from "../lib/grid_keys.js";
import { mapCanvas } from "../lib/map_painting.js";

/**
 * The map strip of a network.
 * @param {import("../lib/network_tree.js").Node[]} stages
 * @param {{input: number[], outputs?: string[], onPick?: (layer: string) => void, onChannel?: (layer: string,
 *   channel: number, u: number, v: number) => void}} options
 * @returns {{element: HTMLElement, setImage: (image: CanvasImageSource) => void, setMaps: (layer: string, maps: any) =>
 *   void, select: (layer: string) => void}}
 */
export function mapStrip(stages, { input, outputs = [], onPick, onChannel }) {
  const all = [{ name: "input", shape: input, rf_size: null }, ...stages];
  const canvas = h("canvas.map-strip-canvas", { "aria-hidden": "true" });
  const tip = h("div.tooltip", { hidden: true, "aria-hidden": "true" });
  const names = gridKeys(
    h("div.stages", { role: "group", "aria-label": "Stages of the network, from input to output" }),
  );
  const inner = h("div.map-strip-inner", {}, canvas, tip, names);
  const element = h("div.map-strip", {}, inner);
  const state = {
    all,
    contents: new Map(),
    selected: "",
    hover: null,
    layout: stripLayout(all, 900),
    canvas,
    outputs,
    names,
  };
  const redraw = () => drawStrip(state);
  const position = () => resize(state, inner, element, { onPick, redraw });
  new ResizeObserver(position).observe(element);
  redrawOnThemeChange(element, redraw);
  canvas.addEventListener("pointermove", (event) => onHover(state, event, tip, redraw));
  canvas.addEventListener("pointerleave", () => {
    state.hover = null;
    tip.hidden = true;
    redraw();
  });
  canvas.addEventListener("click", (event) => onClick(state, event, onPick, onChannel));
  position();
  return {
    element,
    setImage: (image) => {
      state.contents.set("input", { sheets: [image], channels: [0] });
      redraw();
    },
    setMaps: (layer, response) => {
      state.contents.set(layer, toSheets(response));
      redraw();
    },
    select: (layer) => {
      state.selected = layer;
      markStage(names, layer);
      redraw();
    },
  };
}

/** @returns {number} how many channels of a stage the map strip requests */
export function sheetCount(node) {
  const [channels, height, width] = mapShape(node.shape);
  return height * width === 1 ? Math.min(channels, 4096) : maxSheets(channels);
}

function toSheets(response) {
  if (response.kind === "vector" || response.maps[0]?.values.length === 1)
    return { sheets: [vectorSheet(response)], channels: [null], values: response.maps.map((map) => map.values[0]) };
  const scale = mapsMaxAbs(response.maps);
  return { sheets: response.maps.map((map) => mapCanvas(map, scale)), channels: response.channels };
}

function vectorSheet(response) {
  const [height, width] = vectorGrid(response.maps.length);
  const values = new Float32Array(height * width);
  response.maps.forEach((map, i) => {
    values[i] = map.values[0];
  });
  return mapCanvas({ values, height, width }, mapsMaxAbs(response.maps));
}

function resize(state, inner, element, { onPick, redraw }) {
  const available = element.clientWidth || 900;
  state.layout = stripLayout(state.all, available, outputNamesWidth(state.outputs));
  const { width, height, zoom, positions, shift } = state.layout;
  inner.style.setProperty("width", `${width}px`);
  const pixelRatio = window.devicePixelRatio || 1;
  [state.canvas.width, state.canvas.height] = [Math.round(width * pixelRatio), Math.round(height * pixelRatio)];
  state.canvas.style.setProperty("width", `${width}px`);
  state.canvas.style.setProperty("height", `${height}px`);
  fill(
    state.names,
    state.all.map((node, i) => stageButton(node, positions[i], zoom, shift, onPick)),
  );
  markStage(state.names, state.selected);
  redraw();
}

function stageButton(node, position, zoom, shift, onPick) {
  const fieldSize = node.rf_size ? `field ${node.rf_size.join(" × ")}` : "";
  return h(
    "button.stage",
    {
      type: "button",
      "data-layer": node.name,
      disabled: node.name === "input",
      style: { left: `${position.left * zoom + shift}px`, width: `${position.width * zoom}px` },
      on: { click: () => onPick?.(node.name) },
    },
    h("b", {}, node.name === "input" ? "image" : layerLabel(node.name)),
    h("span", {}, formatShape(node.shape)),
    fieldSize ? h("span.field-size", {}, fieldSize) : null,
  );
}

function markStage(names, layer) {
  for (const button of names.children) button.setAttribute("aria-pressed", String(button.dataset.layer === layer));
  refreshTabStop(names);
}

function outputNamesWidth(outputs) {
  return outputs.length ? Math.min(90, 8 + 6 * Math.max(...outputs.map((name) => name.length))) : 0;
}

function drawStrip({ all, contents, layout, canvas, hover: hovered, selected, outputs }) {
  const context = canvas.getContext("2d");
  const pixelRatio = window.devicePixelRatio || 1;
  const css = getComputedStyle(document.documentElement);
  const colors = {
    line: css.getPropertyValue("--border-strong"),
    faint: css.getPropertyValue("--border"),
    accent: css.getPropertyValue("--accent"),
    card: css.getPropertyValue("--inset"),
  };
  context.setTransform(pixelRatio * layout.zoom, 0, 0, pixelRatio * layout.zoom, pixelRatio * layout.shift, 0);
  context.clearRect(-2000, 0, 9000, 2000);
  context.imageSmoothingEnabled = false;
  layout.positions
    .slice(0, -1)
    .forEach((position, i) => drawConnection(context, position, layout.positions[i + 1], colors));
  if (outputs.length)
    drawOutputNames(context, layout.positions.at(-1), contents.get(all.at(-1).name)?.values, outputs, css);
  layout.positions.forEach((position, i) => {
    const has = contents.get(all[i].name);
    for (let index = position.count - 1; index >= 0; index -= 1)
      drawSheet(context, sheetCorner(position, index), has?.sheets[index], colors, all[i].name === selected);
    if (hovered?.stage === i && !position.vector)
      drawSheet(
        context,
        raised(sheetCorner(position, hovered.index)),
        has?.sheets[hovered.index],
        { ...colors, line: colors.accent },
        true,
      );
  });
}

function drawOutputNames(context, position, values, outputs, css) {
  const at = sheetCorner(position, 0);
  const [rows] = vectorGrid(outputs.length);
  const best = values ? values.indexOf(Math.max(...values)) : -1;
  const size = Math.min(11, (0.92 * at.height) / rows);
  outputs.forEach((name, i) => {
    context.font = `${i === best ? 700 : 400} ${size}px ${css.getPropertyValue("--sans")}`;
    context.fillStyle = css.getPropertyValue(i === best ? "--text" : "--muted");
    context.textBaseline = "middle";
    context.fillText(
      name.length > 14 ? `${name.slice(0, 13)}…` : name,
      at.x + at.ex + 5,
      at.y - at.ey + ((i + 0.5) * at.height) / rows,
    );
  });
}

function raised(at) {
  return { ...at, y: at.y - 12 };
}

function drawSheet(context, at, image, colors, selected) {
  context.save();
  context.transform(at.ex, -at.ey, 0, at.height, at.x, at.y);
  context.fillStyle = colors.card;
  context.fillRect(0, 0, 1, 1);
  if (image) context.drawImage(image, 0, 0, 1, 1);
  context.restore();
  context.beginPath();
  context.moveTo(at.x, at.y);
  context.lineTo(at.x + at.ex, at.y - at.ey);
  context.lineTo(at.x + at.ex, at.y - at.ey + at.height);
  context.lineTo(at.x, at.y + at.height);
  context.closePath();
  context.strokeStyle = selected ? colors.accent : colors.line;
  context.lineWidth = selected ? 1 : 0.5;
  context.stroke();
}

function drawConnection(context, from, to, colors) {
  const [a, b] = [sheetCorner(from, from.count - 1), sheetCorner(to, 0)];
  context.strokeStyle = colors.faint;
  context.lineWidth = 1;
  context.beginPath();
  for (const down of [0, 1]) {
    context.moveTo(a.x + a.ex, a.y - a.ey + down * a.height);
    context.lineTo(b.x, b.y + down * b.height);
  }
  context.stroke();
}

function sheetAtPointer(state, event) {
  const box = state.canvas.getBoundingClientRect();
  const { zoom, shift, positions } = state.layout;
  return sheetAt(positions, (event.clientX - box.left - shift) / zoom, (event.clientY - box.top) / zoom);
}

function onHover(state, event, tip, redraw) {
  const found = sheetAtPointer(state, event);
  const unchanged = found?.stage === state.hover?.stage && found?.index === state.hover?.index;
  state.hover = found;
  state.canvas.style.setProperty("cursor", found && found.stage ? "pointer" : "default");
  if (!unchanged) redraw();
  const node = found && state.all[found.stage];
  const channel = node && state.contents.get(node.name)?.channels[found.index];
  tip.hidden = !node || !found.stage || channel === null || channel === undefined;
  if (tip.hidden) return;
  const at = sheetCorner(state.layout.positions[found.stage], found.index);
  tip.textContent = `channel ${channel}`;
  tip.style.setProperty("left", `${(at.x + at.ex) * state.layout.zoom + state.layout.shift}px`);
  tip.style.setProperty("top", `${(at.y - at.ey - 14) * state.layout.zoom}px`);
}

function onClick(state, event, onPick, onChannel) {
  const found = sheetAtPointer(state, event);
  if (!found || found.stage === 0) return;
  const node = state.all[found.stage];
  const channel = state.contents.get(node.name)?.channels[found.index];
  if (channel === null || channel === undefined) onPick?.(node.name);
  else onChannel?.(node.name, channel, found.u, found.v);
}
