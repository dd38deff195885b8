/** From a picture to the answers, as the exported ONNX file computes them. */

import { covering, fit, paddedContent, roundEven, visibleWindow } from "./fitting.js";
import { compute } from "./network.js";
import { tensor } from "./tensor.js";

const GREY = [0.299, 0.587, 0.114];

/**
 * Answer a picture.
 * @param {object} network from `openNetwork`
 * @param {object} facts of the page: input, fit, mean, std, multiple, outputs ...
 * @param {{data: Uint8Array, height: number, width: number, channels: number}} picture upright, 1 or 3 channels
 */
export function answer(network, facts, picture) {
  const started = performance.now();
  const { pixels, size } = fitted(facts, picture);
  const values = compute(network, new Map([[facts.input, normalised(facts, pixels)]]));
  const answers = Object.fromEntries(facts.outputs.map((name) => [name, values.get(name)]));
  const whole = [picture.height, picture.width];
  const found = { answers, values, pixels, whole, size, window: visibleWindow(whole, size, facts.fit) };
  if (answers.box) found.box = boxInFile(answers.box.data, found);
  return { ...found, milliseconds: performance.now() - started };
}

/** The picture at the size of the network's input, with its number of channels. */
export function fitted(facts, picture) {
  const whole = [picture.height, picture.width];
  const free = facts.multiple > 0 && facts.fit === "crop";
  const size = free ? covering(whole, facts.size) : facts.size;
  return { pixels: fit(inChannels(picture, facts.channels), size, facts.fit), size };
}

function inChannels(picture, channels) {
  if (picture.channels === channels) return picture;
  const count = picture.height * picture.width;
  const data = new Uint8Array(count * channels);
  for (let i = 0; i < count; i += 1) {
    if (channels === 1) {
      data[i] = roundEven(GREY.reduce((total, part, c) => total + part * picture.data[3 * i + c], 0));
    } else data.fill(picture.data[i], i * channels, (i + 1) * channels);
  }
  return { ...picture, data, channels };
}

/** (1, C, h, w), padded at the end with the last pixel to a multiple. */
function normalised({ mean, std, multiple }, { data, height, width, channels }) {
  const step = Math.max(1, multiple);
  const [rows, columns] = [height, width].map((side) => Math.ceil(side / step) * step);
  const x = tensor([1, channels, rows, columns]);
  let i = 0;
  for (let c = 0; c < channels; c += 1) {
    for (let y = 0; y < rows; y += 1) {
      const line = Math.min(y, height - 1) * width;
      for (let column = 0; column < columns; column += 1) {
        const value = data[(line + Math.min(column, width - 1)) * channels + c];
        x.data[i] = (Math.fround(value / 255) - mean[c]) / std[c];
        i += 1;
      }
    }
  }
  return x;
}

function boxInFile(corners, { whole, size, window }) {
  const across = (window.right - window.left) / size[1];
  const down = (window.bottom - window.top) / size[0];
  return [...corners].map((value, i) =>
    i % 2 === 0
      ? Math.max(0, Math.min(whole[1], window.left + value * across))
      : Math.max(0, Math.min(whole[0], window.top + value * down)),
  );
}

/** The class of each pixel, (height, width) = `shape`, from scores (1, K, h, w) of the input; as `PictureGraph` does. */
export function classOfPixels(scores, facts, { whole, size, pixels }, shape) {
  let [top, left, bottom, right] = [0, 0, pixels.height, pixels.width];
  if (facts.fit === "pad") {
    const { inner, start } = paddedContent(whole, size);
    [top, left, bottom, right] = [start[0], start[1], start[0] + inner[0], start[1] + inner[1]];
  }
  const [, classes, rows, columns] = scores.shape;
  const down = positions(bottom - top, shape[0]);
  const across = positions(right - left, shape[1]);
  const found = new Uint8Array(shape[0] * shape[1]);
  const best = new Float32Array(found.length).fill(-Infinity);
  for (let k = 0; k < classes; k += 1) {
    const at = (y, x) => scores.data[(k * rows + y + top) * columns + x + left];
    for (let y = 0, i = 0; y < shape[0]; y += 1) {
      const [y0, y1, dy] = down[y];
      for (let x = 0; x < shape[1]; x += 1, i += 1) {
        const [x0, x1, dx] = across[x];
        const low = at(y0, x0) * (1 - dy) + at(y1, x0) * dy;
        const high = at(y0, x1) * (1 - dy) + at(y1, x1) * dy;
        const value = low * (1 - dx) + high * dx;
        if (value > best[i]) {
          best[i] = value;
          found[i] = k;
        }
      }
    }
  }
  return found;
}

/** [low, high, share] of linear interpolation along a side. */
export function positions(inputs, outputs) {
  return Array.from({ length: outputs }, (_, i) => {
    const position = Math.max(0, ((i + 0.5) * inputs) / outputs - 0.5);
    const low = Math.min(Math.floor(position), inputs - 1);
    return [low, Math.min(low + 1, inputs - 1), position - low];
  });
}
