/** Colours: feature maps, the heat map over the picture, masks and boxes. */

import { positions } from "./answers.js";

const COOL = [[236, 241, 246], [143, 188, 228], [58, 124, 190], [16, 58, 114]];
const WARM = [[247, 240, 230], [243, 178, 107], [212, 98, 30], [108, 34, 8]];
const COOL_DARK = [[20, 26, 32], [30, 78, 122], [80, 156, 224], [178, 222, 255]];
const WARM_DARK = [[20, 26, 32], [128, 62, 16], [238, 142, 48], [255, 226, 164]];
const HEAT = [[76, 29, 149], [190, 24, 93], [249, 115, 22], [253, 224, 71]];

export function isDark() {
  return document.documentElement.dataset.theme === "dark";
}

/** The colour at a share, 0 to 1, of the way along stops. */
function along(stops, share) {
  const position = Math.max(0, Math.min(1, share)) * (stops.length - 1);
  const low = Math.min(stops.length - 2, Math.floor(position));
  return stops[low].map((value, c) => value + (position - low) * (stops[low + 1][c] - value));
}

/**
 * Paint one feature map at its own resolution: warm is positive, cool is negative.
 * @param {HTMLCanvasElement} canvas
 * @param {Float32Array} values in rows
 * @param {number} limit the value of the strongest colour
 */
export function paintMap(canvas, values, height, width, limit) {
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  const [cool, warm] = isDark() ? [COOL_DARK, WARM_DARK] : [COOL, WARM];
  for (let i = 0; i < values.length; i += 1) {
    const share = limit > 0 ? Math.abs(values[i]) / limit : 0;
    image.data.set(along(values[i] < 0 ? cool : warm, Math.sqrt(share)), 4 * i);
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

/** The heat map as a picture of `side` pixels or less, transparent where it is 0. */
export function heatPicture({ height, width, data }, side = 160) {
  const canvas = document.createElement("canvas");
  canvas.width = side;
  canvas.height = Math.max(1, Math.round((side * height) / width));
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  const down = positions(height, canvas.height);
  const across = positions(width, canvas.width);
  down.forEach(([y0, y1, dy], y) => {
    across.forEach(([x0, x1, dx], x) => {
      const low = data[y0 * width + x0] * (1 - dy) + data[y1 * width + x0] * dy;
      const high = data[y0 * width + x1] * (1 - dy) + data[y1 * width + x1] * dy;
      const value = low * (1 - dx) + high * dx;
      const i = 4 * (y * canvas.width + x);
      image.data.set(along(HEAT, value), i);
      image.data[i + 3] = 255 * Math.min(1, value * 1.6);
    });
  });
  context.putImageData(image, 0, 0);
  return canvas;
}

/** A class's colour, of hues far apart; null for the background. */
export function classColor(k, background) {
  return background && k === 0 ? null : `rgb(${fromHsl(hueOf(k)).join(" ")})`;
}

function hueOf(k) {
  return (k * 137.5 + 20) % 360; // the golden angle
}

/** Red, green and blue of a hue in degrees, at a saturation of 85 % and a lightness of 52 %. */
function fromHsl(hue) {
  return [0, 8, 4].map((n) => {
    const k = (n + hue / 30) % 12;
    return Math.round(255 * (0.52 - 0.408 * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  });
}

/** A mask as a picture: each class in its colour. */
export function maskPicture(classes, height, width, background) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  const table = new Map();
  for (let i = 0; i < classes.length; i += 1) {
    if (background && classes[i] === 0) continue;
    if (!table.has(classes[i])) table.set(classes[i], [...fromHsl(hueOf(classes[i])), 255]);
    image.data.set(table.get(classes[i]), 4 * i);
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

/**
 * Show a picture with what lies over it.
 * @param {HTMLCanvasElement} canvas
 * @param {HTMLCanvasElement} source the picture
 * @param {{window: object, heat?: HTMLCanvasElement, mask?: HTMLCanvasElement, box?: number[], strength: number}} over
 */
export function showPicture(canvas, source, { window: visible, heat, mask, box, strength }) {
  const scale = Math.min(1, 1200 / Math.max(source.width, source.height));
  const enlarge = Math.max(scale, Math.min(20, 560 / Math.max(source.width, source.height)));
  canvas.width = Math.max(1, Math.round(source.width * enlarge));
  canvas.height = Math.max(1, Math.round(source.height * enlarge));
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = enlarge <= 1;
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  const [left, top, right, bottom] = ["left", "top", "right", "bottom"].map((side) => visible[side] * enlarge);
  context.save();
  context.globalAlpha = strength;
  context.imageSmoothingEnabled = Boolean(heat);
  if (mask) context.drawImage(mask, 0, 0, canvas.width, canvas.height);
  if (heat) context.drawImage(heat, left, top, right - left, bottom - top);
  context.restore();
  shadeOutside(context, left, top, right, bottom);
  if (box) drawBox(context, box.map((value) => value * enlarge));
}

/** Darken what the network does not see. */
function shadeOutside(context, left, top, right, bottom) {
  const { width, height } = context.canvas;
  context.fillStyle = "rgb(8 12 16 / 55%)";
  context.fillRect(0, 0, Math.max(0, left), height);
  context.fillRect(right, 0, Math.max(0, width - right), height);
  context.fillRect(Math.max(0, left), 0, right - Math.max(0, left), Math.max(0, top));
  context.fillRect(Math.max(0, left), bottom, right - Math.max(0, left), Math.max(0, height - bottom));
}

function drawBox(context, [x1, y1, x2, y2]) {
  const width = Math.max(3, context.canvas.width / 160);
  for (const [color, by] of [["rgb(0 0 0 / 60%)", 2 * width], ["#ffb347", width]]) {
    context.strokeStyle = color;
    context.lineWidth = by;
    context.strokeRect(x1, y1, x2 - x1, y2 - y1);
  }
}
