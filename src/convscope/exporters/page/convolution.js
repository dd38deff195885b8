/** Convolutions and pooling of one picture, (1, C, H, W). */

import { tensor } from "./tensor.js";

/**
 * Convolution; grouped, strided, dilated.
 * @param {{shape: number[], data: Float32Array}} x (1, C, H, W)
 * @param {{shape: number[], data: Float32Array}} weight (O, C / groups, h, w)
 * @param {Float32Array | null} bias (O)
 * @param {{group: number, strides: number[], pads: number[], dilations: number[]}} settings pads: top, left, bottom, right
 */
export function convolve(x, weight, bias, settings) {
  const [outputs, perGroup, kernelHeight, kernelWidth] = weight.shape;
  const sides = outputSides(x.shape, [kernelHeight, kernelWidth], settings);
  const found = tensor([1, outputs, ...sides]);
  const positions = sides[0] * sides[1];
  if (perGroup === 1 && settings.group === x.shape[1]) {
    depthwise(x, weight, bias, settings, found);
    return found;
  }
  const length = perGroup * kernelHeight * kernelWidth;
  const patches = new Float32Array(positions * length);
  const each = outputs / settings.group;
  for (let group = 0; group < settings.group; group += 1) {
    gatherPatches(x, group * perGroup, [perGroup, kernelHeight, kernelWidth], sides, settings, patches);
    multiply(weight.data, group * each, each, patches, positions, length, bias, found.data);
  }
  return found;
}

function outputSides([, , height, width], kernel, { strides, pads, dilations }) {
  return [height, width].map((side, axis) => {
    const covered = dilations[axis] * (kernel[axis] - 1) + 1;
    return Math.floor((side + pads[axis] + pads[axis + 2] - covered) / strides[axis]) + 1;
  });
}

/** Rows of `patches`: what each output position sees. */
function gatherPatches(x, firstChannel, [channels, kernelHeight, kernelWidth], sides, settings, patches) {
  const [, , height, width] = x.shape;
  const { strides, pads, dilations } = settings;
  const length = channels * kernelHeight * kernelWidth;
  for (let row = 0; row < sides[0]; row += 1) {
    for (let column = 0; column < sides[1]; column += 1) {
      let position = (row * sides[1] + column) * length;
      const left = column * strides[1] - pads[1];
      for (let c = 0; c < channels; c += 1) {
        const plane = (firstChannel + c) * height * width;
        for (let ky = 0; ky < kernelHeight; ky += 1) {
          const y = row * strides[0] - pads[0] + ky * dilations[0];
          const inside = y >= 0 && y < height;
          for (let kx = 0; kx < kernelWidth; kx += 1) {
            const at = left + kx * dilations[1];
            patches[position] = inside && at >= 0 && at < width ? x.data[plane + y * width + at] : 0;
            position += 1;
          }
        }
      }
    }
  }
}

/** found[o, p] = weights[o, :] . patches[p, :] + bias[o], four by four so that numbers stay in registers. */
function multiply(weights, firstOutput, outputs, patches, positions, length, bias, found) {
  for (let o = 0; o < outputs; o += 4) {
    const rows = Math.min(4, outputs - o);
    const [w0, w1, w2, w3] = [0, 1, 2, 3].map((i) => (firstOutput + o + Math.min(i, rows - 1)) * length);
    for (let p = 0; p < positions; p += 2) {
      const p0 = p * length;
      const p1 = Math.min(p + 1, positions - 1) * length;
      let a0 = 0, a1 = 0, a2 = 0, a3 = 0, b0 = 0, b1 = 0, b2 = 0, b3 = 0;
      for (let k = 0; k < length; k += 1) {
        const x0 = patches[p0 + k];
        const x1 = patches[p1 + k];
        const u0 = weights[w0 + k], u1 = weights[w1 + k], u2 = weights[w2 + k], u3 = weights[w3 + k];
        a0 += u0 * x0; a1 += u1 * x0; a2 += u2 * x0; a3 += u3 * x0;
        b0 += u0 * x1; b1 += u1 * x1; b2 += u2 * x1; b3 += u3 * x1;
      }
      const sums = [a0, a1, a2, a3, b0, b1, b2, b3];
      for (let i = 0; i < rows; i += 1) {
        const output = firstOutput + o + i;
        const added = bias ? bias[output] : 0;
        found[output * positions + p] = sums[i] + added;
        if (p + 1 < positions) found[output * positions + p + 1] = sums[i + 4] + added;
      }
    }
  }
}

/** One filter or more for each channel; found is (1, O, h, w). */
function depthwise(x, weight, bias, { strides, pads, dilations, group }, found) {
  const [, , height, width] = x.shape;
  const [outputs, , kernelHeight, kernelWidth] = weight.shape;
  const [, , rows, columns] = found.shape;
  for (let o = 0; o < outputs; o += 1) {
    const plane = Math.floor(o / (outputs / group)) * height * width;
    for (let row = 0; row < rows; row += 1) {
      for (let column = 0; column < columns; column += 1) {
        let total = bias ? bias[o] : 0;
        for (let ky = 0; ky < kernelHeight; ky += 1) {
          const y = row * strides[0] - pads[0] + ky * dilations[0];
          if (y < 0 || y >= height) continue;
          for (let kx = 0; kx < kernelWidth; kx += 1) {
            const at = column * strides[1] - pads[1] + kx * dilations[1];
            if (at < 0 || at >= width) continue;
            total += weight.data[(o * kernelHeight + ky) * kernelWidth + kx] * x.data[plane + y * width + at];
          }
        }
        found.data[(o * rows + row) * columns + column] = total;
      }
    }
  }
}

/** Transposed convolution: each value adds its kernel to the output. */
export function convolveTransposed(x, weight, bias, { strides, pads, dilations, group, output_padding: extra }) {
  const [, channels, height, width] = x.shape;
  const [, perGroup, kernelHeight, kernelWidth] = weight.shape;
  const kernel = [kernelHeight, kernelWidth];
  const [rows, columns] = [height, width].map(
    (side, i) => (side - 1) * strides[i] + dilations[i] * (kernel[i] - 1) + 1 + (extra?.[i] ?? 0) - pads[i] - pads[i + 2],
  );
  const found = tensor([1, perGroup * group, rows, columns]);
  if (bias) found.data.forEach((_, i) => { found.data[i] = bias[Math.floor(i / (rows * columns))]; });
  for (let c = 0; c < channels; c += 1) {
    const first = Math.floor(c / (channels / group)) * perGroup;
    for (let o = 0; o < perGroup; o += 1) {
      for (let y = 0; y < height; y += 1) {
        for (let at = 0; at < width; at += 1) {
          const value = x.data[(c * height + y) * width + at];
          for (let ky = 0; ky < kernelHeight; ky += 1) {
            const row = y * strides[0] + ky * dilations[0] - pads[0];
            if (row < 0 || row >= rows) continue;
            for (let kx = 0; kx < kernelWidth; kx += 1) {
              const column = at * strides[1] + kx * dilations[1] - pads[1];
              if (column < 0 || column >= columns) continue;
              const product = value * weight.data[((c * perGroup + o) * kernelHeight + ky) * kernelWidth + kx];
              found.data[((first + o) * rows + row) * columns + column] += product;
            }
          }
        }
      }
    }
  }
  return found;
}

/** Pooling over windows; "max", or "mean" with or without the padding in the count. */
export function pool(x, how, { kernel_shape: kernel, strides, pads, dilations, ceil_mode: ceil, count_include_pad: all }) {
  const [, channels, height, width] = x.shape;
  const [rows, columns] = [height, width].map((side, i) => {
    const room = side + pads[i] + pads[i + 2] - dilations[i] * (kernel[i] - 1) - 1;
    const count = (ceil ? Math.ceil(room / strides[i]) : Math.floor(room / strides[i])) + 1;
    return ceil && (count - 1) * strides[i] >= side + pads[i] ? count - 1 : count; // no window starts in the padding
  });
  const found = tensor([1, channels, rows, columns]);
  let i = 0;
  for (let c = 0; c < channels; c += 1) {
    const plane = c * height * width;
    for (let row = 0; row < rows; row += 1) {
      for (let column = 0; column < columns; column += 1) {
        let largest = -Infinity;
        let total = 0;
        let count = 0;
        let counted = 0;
        for (let ky = 0; ky < kernel[0]; ky += 1) {
          const y = row * strides[0] - pads[0] + ky * dilations[0];
          for (let kx = 0; kx < kernel[1]; kx += 1) {
            const at = column * strides[1] - pads[1] + kx * dilations[1];
            if (y < height + pads[2] && at < width + pads[3]) counted += 1;
            if (y < 0 || y >= height || at < 0 || at >= width) continue;
            const value = x.data[plane + y * width + at];
            largest = Math.max(largest, value);
            total += value;
            count += 1;
          }
        }
        found.data[i] = how === "max" ? largest : total / (all ? counted : count);
        i += 1;
      }
    }
  }
  return found;
}
