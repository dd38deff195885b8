/**
 * Where the landscape's sheets stand: each stop is a row of sheets, one for a channel, seen at an angle. Pure
 * geometry.
 */

import { volume } from "../lib/network_tree.js";

/** Height of the drawing, in CSS pixels, before it is scaled. */
export const HEIGHT = 196;
const MIDDLE = 100;
const FORESHORTENED = 0.5;
const RISE = 0.24;
const NARROWEST = 92;
const BETWEEN = 20;

/**
 * A stop's place.
 * @typedef {{left: number, width: number, count: number, total: number, vector: boolean, side: number, tall: number,
 *   gap: number, x: number}} Place
 */

/**
 * Lay stops out from left to right.
 * @param {{name: string, shape: number[]}[]} stops the first is the picture, which is one sheet
 * @param {number} available CSS pixels
 * @param {number} [named] room for the answers' names beside the last stop
 * @returns {{places: Place[], width: number, height: number, zoom: number}}
 */
export function layout(stops, available, named = 0) {
  const tallest = Math.max(...stops.map((stop) => volume(stop.shape)[1]));
  const places = [];
  let left = 0;
  for (const stop of stops) {
    const place = stand(stop.name === "input" ? { shape: [1, ...stop.shape.slice(1)] } : stop, tallest);
    places.push({ ...place, left, x: left + (place.width - place.extent) / 2 });
    left += place.width + BETWEEN;
  }
  const natural = left - BETWEEN + named;
  const zoom = Math.max(available < 700 ? 0.95 : 0.78, Math.min(1.7, available / natural));
  return {
    places,
    width: Math.max(natural * zoom, available),
    height: HEIGHT * zoom,
    zoom,
    shift: Math.max(0, (available - natural * zoom) / 2),
  };
}

/**
 * A sheet's corner and edges; the first sheet stands in front, at the left.
 * @param {Place} place
 * @param {number} nth
 * @returns {{x: number, y: number, ex: number, ey: number, tall: number}} corner at the top left; right edge is ex
 *   across and ey up
 */
export function sheet(place, nth) {
  const ex = place.side * FORESHORTENED;
  const ey = place.side * RISE;
  return { x: place.x + nth * place.gap, y: MIDDLE - (place.tall - ey) / 2, ex, ey, tall: place.tall };
}

/**
 * What lies under a point.
 * @param {Place[]} places
 * @param {number} x
 * @param {number} y
 * @returns {{stop: number, nth: number, u: number, v: number} | null} u, v: place on the sheet, 0 to 1
 */
export function under(places, x, y) {
  for (let stop = 0; stop < places.length; stop += 1) {
    const place = places[stop];
    for (let nth = 0; nth < place.count; nth += 1) {
      const at = sheet(place, nth);
      const u = (x - at.x) / at.ex;
      const v = (y - at.y + u * at.ey) / at.tall;
      if (u >= 0 && u < 1 && v >= 0 && v < 1) return { stop, nth, u, v };
    }
  }
  return null;
}

/**
 * How a vector is folded to be seen: rows and columns.
 * @param {number} units
 * @returns {[number, number]}
 */
export function folded(units) {
  const columns = units <= 32 ? 1 : units <= 160 ? 2 : Math.ceil(units / 96);
  return [Math.ceil(units / columns), columns];
}

/**
 * How many sheets of a stop are drawn.
 * @param {number} channels
 * @returns {number}
 */
export function sheets(channels) {
  return Math.min(channels, 20);
}

function stand({ shape }, tallest) {
  const [channels, height, width] = volume(shape);
  if (height * width === 1) return standVector(channels);
  const side = Math.max(44, 126 * (height / tallest) ** 0.36);
  const count = sheets(channels);
  const spread = count === 1 ? 0 : Math.min(13 * Math.log2(channels) + 12, 17 * (count - 1));
  const extent = side * FORESHORTENED + spread;
  return {
    count,
    total: channels,
    vector: false,
    side,
    tall: side,
    gap: count === 1 ? 0 : spread / (count - 1),
    extent,
    width: Math.max(extent, NARROWEST),
  };
}

function standVector(units) {
  const [rows, columns] = folded(units);
  const side = 18 + 12 * columns;
  const tall = Math.min(160, 13 * rows + 8);
  const extent = side * FORESHORTENED;
  return { count: 1, total: units, vector: true, side, tall, gap: 0, extent, width: Math.max(extent, NARROWEST - 14) };
}
