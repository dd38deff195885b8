/**
 * Geometry of the map strip: each stage is a stack of sheets, one per channel, seen at an angle. Pure functions.
 */

import { formatShape, layerLabel, mapShape } from "../lib/network_tree.js";

/** Height of the drawing, in CSS pixels, before scaling. */
export const HEIGHT = 196;
const CENTER_Y = 100;
const FORESHORTENING = 0.5;
const SLANT = 0.24;
const MIN_WIDTH = 92;
const MIN_ZOOM = 0.78;
const STAGE_GAP = 20;

/**
 * The position of a stage.
 * @typedef {{left: number, width: number, count: number, total: number, vector: boolean, side: number, height: number,
 *   gap: number, x: number}} Position
 */

/**
 * Lay out stages from left to right.
 * @param {{name: string, shape: number[]}[]} stages the first is the image, drawn as one sheet
 * @param {number} available CSS pixels
 * @param {number} [namesWidth] space for the class names beside the last stage
 * @returns {{positions: Position[], width: number, height: number, zoom: number}}
 */
export function stripLayout(stages, available, namesWidth = 0) {
  const tallest = Math.max(...stages.map((stage) => mapShape(stage.shape)[1]));
  const positions = [];
  let left = 0;
  for (const stage of stages) {
    const position = stageLayout(stage.name === "input" ? { shape: [1, ...stage.shape.slice(1)] } : stage, tallest);
    positions.push({ ...position, left, x: left + (position.width - position.extent) / 2 });
    left += position.width + STAGE_GAP;
  }
  const natural = left - STAGE_GAP + namesWidth;
  const zoom = Math.max(available < 700 ? 0.95 : MIN_ZOOM, Math.min(1.7, available / natural));
  return {
    positions,
    width: Math.max(natural * zoom, available),
    height: HEIGHT * zoom,
    zoom,
    shift: Math.max(0, (available - natural * zoom) / 2),
  };
}

/**
 * The corner and edges of a sheet; the first sheet is in front, at the left.
 * @param {Position} position
 * @param {number} index
 * @returns {{x: number, y: number, ex: number, ey: number, height: number}} top left corner; the right edge is ex
 *   to the right and ey up
 */
export function sheetCorner(position, index) {
  const ex = position.side * FORESHORTENING;
  const ey = position.side * SLANT;
  return {
    x: position.x + index * position.gap,
    y: CENTER_Y - (position.height - ey) / 2,
    ex,
    ey,
    height: position.height,
  };
}

/**
 * The sheet at a point.
 * @param {Position[]} positions
 * @param {number} x
 * @param {number} y
 * @returns {{stage: number, index: number, u: number, v: number} | null} u, v: position on the sheet, 0 to 1
 */
export function sheetAt(positions, x, y) {
  for (let stage = 0; stage < positions.length; stage += 1) {
    const position = positions[stage];
    for (let index = 0; index < position.count; index += 1) {
      const corner = sheetCorner(position, index);
      const u = (x - corner.x) / corner.ex;
      const v = (y - corner.y + u * corner.ey) / corner.height;
      if (u >= 0 && u < 1 && v >= 0 && v < 1) return { stage, index, u, v };
    }
  }
  return null;
}

/**
 * The grid in which a vector is drawn: rows and columns.
 * @param {number} units
 * @returns {[number, number]}
 */
export function vectorGrid(units) {
  const columns = units <= 32 ? 1 : units <= 160 ? 2 : Math.ceil(units / 96);
  return [Math.ceil(units / columns), columns];
}

/**
 * How many sheets of a stage are drawn.
 * @param {number} channels
 * @returns {number}
 */
export function maxSheets(channels) {
  return Math.min(channels, 20);
}

/** The least width in which the name, shape and receptive field of a stage are not cut, at the smallest zoom. */
function textWidth({ name, shape, rf_size: field }) {
  const texts = [name && name !== "input" ? layerLabel(name) : "image", formatShape(shape), `field ${(field ?? []).join(" × ")}`];
  return Math.max(MIN_WIDTH, ...texts.map((text) => (7.3 * text.length) / MIN_ZOOM));
}

function stageLayout(stage, tallest) {
  const [channels, height, width] = mapShape(stage.shape);
  if (height * width === 1) return vectorLayout(channels, textWidth(stage));
  const side = Math.max(44, 126 * (height / tallest) ** 0.36);
  const count = maxSheets(channels);
  const spread = count === 1 ? 0 : Math.min(13 * Math.log2(channels) + 12, 17 * (count - 1));
  const extent = side * FORESHORTENING + spread;
  return {
    count,
    total: channels,
    vector: false,
    side,
    height: side,
    gap: count === 1 ? 0 : spread / (count - 1),
    extent,
    width: Math.max(extent, textWidth(stage)),
  };
}

function vectorLayout(units, least) {
  const [rows, columns] = vectorGrid(units);
  const side = 18 + 12 * columns;
  const height = Math.min(160, 13 * rows + 8);
  const extent = side * FORESHORTENING;
  return {
    count: 1,
    total: units,
    vector: true,
    side,
    height,
    gap: 0,
    extent,
    width: Math.max(extent, least - 14),
  };
}
