/** Arrays painted on canvases; they are repainted when the theme changes. */

import { colorIndex, colorTable, currentTheme } from "./color_scale.js";

const paintedCanvases = new Set();

/**
 * Paint a map on a canvas of its own size, one pixel per value.
 * @param {HTMLCanvasElement} canvas
 * @param {{values: ArrayLike<number>, height: number, width: number}} map
 * @param {number} limit the absolute value of the strongest colour
 * @returns {HTMLCanvasElement} the canvas
 */
export function paintMap(canvas, map, limit) {
  canvas.redraw = () => drawMap(canvas, map, limit);
  canvas.redraw();
  paintedCanvases.add(new WeakRef(canvas));
  return canvas;
}

/**
 * A new canvas with a map painted on it.
 * @returns {HTMLCanvasElement}
 */
export function mapCanvas(map, limit) {
  return paintMap(document.createElement("canvas"), map, limit);
}

/** Repaint every canvas still in use, in the colours of the current theme. */
export function repaintAll() {
  for (const reference of paintedCanvases) {
    const canvas = reference.deref();
    if (canvas?.redraw) canvas.redraw();
    else paintedCanvases.delete(reference);
  }
}

function drawMap(canvas, { values, height, width }, limit) {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  const table = colorTable(currentTheme());
  for (let i = 0; i < values.length; i += 1) {
    const offset = 3 * colorIndex(values[i], limit);
    image.data[4 * i] = table[offset];
    image.data[4 * i + 1] = table[offset + 1];
    image.data[4 * i + 2] = table[offset + 2];
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}
