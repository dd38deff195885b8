/** Maps of numbers painted on canvases; they are painted again when the theme changes. */

import { index, scale, theme } from "./color_scale.js";

const painted = new Set();

/**
 * Paint a map on a canvas of its own size, one pixel a value.
 * @param {HTMLCanvasElement} canvas
 * @param {{values: ArrayLike<number>, height: number, width: number}} map
 * @param {number} most the value that takes the full colour
 * @returns {HTMLCanvasElement} the canvas
 */
export function paint(canvas, map, most) {
  canvas.again = () => draw(canvas, map, most);
  canvas.again();
  painted.add(new WeakRef(canvas));
  return canvas;
}

/**
 * A painted canvas.
 * @returns {HTMLCanvasElement}
 */
export function tile(map, most) {
  return paint(document.createElement("canvas"), map, most);
}

/** Paint every living canvas again, in the colours of the theme that is on now. */
export function repaint() {
  for (const kept of painted) {
    const canvas = kept.deref();
    if (canvas?.again) canvas.again();
    else painted.delete(kept);
  }
}

/**
 * Paint a picture of bytes.
 * @param {HTMLCanvasElement} canvas
 * @param {{pixels: ArrayLike<number>, height: number, width: number, channels: number}} picture rows of 0..255,
 *   channels last; of
 *   other than 1 or 3 channels the first is shown
 * @returns {HTMLCanvasElement} the canvas
 */
export function paintPicture(canvas, { pixels, height, width, channels }) {
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  for (let i = 0; i < height * width; i += 1) {
    for (let c = 0; c < 3; c += 1) image.data[4 * i + c] = pixels[channels * i + (channels === 3 ? c : 0)];
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

function draw(canvas, { values, height, width }, most) {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  const table = scale(theme());
  for (let i = 0; i < values.length; i += 1) {
    const at = 3 * index(values[i], most);
    image.data[4 * i] = table[at];
    image.data[4 * i + 1] = table[at + 1];
    image.data[4 * i + 2] = table[at + 2];
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}
