/** Pictures of any size to the network's input, equal in every pixel to `datasets/inputs/fitting.py`. */

const SHRINKS = [8, 4, 2];
const LARGE = 2 ** 24; // pixels from which a picture is averaged first
const CUBIC = -0.5;
const MOST_BITS = 22;

/** @returns {number} rounded, halves to the even neighbour, as Python does */
export function roundEven(value) {
  const low = Math.floor(value);
  const rest = value - low;
  if (rest !== 0.5) return rest < 0.5 ? low : low + 1;
  return low % 2 === 0 ? low : low + 1;
}

/** The smallest [height, width] with the aspect ratio of `whole` that covers `size`. */
export function covering(whole, size) {
  const scale = Math.max(size[0] / whole[0], size[1] / whole[1]);
  return whole.map((side) => Math.max(1, roundEven(scale * side)));
}

/** Size and [top, left] of a padded picture inside `size`. */
export function paddedContent(whole, size) {
  const scale = Math.min(size[0] / whole[0], size[1] / whole[1]);
  const inner = whole.map((side, axis) => Math.max(1, Math.min(size[axis], roundEven(scale * side))));
  return { inner, start: inner.map((side, axis) => Math.floor((size[axis] - side) / 2)) };
}

function reduction(whole, size, how) {
  const target = how === "pad" ? paddedContent(whole, size).inner : size;
  const scale = Math.max(target[0] / whole[0], target[1] / whole[1]);
  const least = whole.map((side) => Math.ceil(side * scale));
  return SHRINKS.find((by) => least[0] * by <= whole[0] && least[1] * by <= whole[1]) ?? 1;
}

/** The part {top, left, bottom, right}, in pixels of the file, that the input shows. */
export function visibleWindow(whole, size, how) {
  if (how === "stretch") return { top: 0, left: 0, bottom: whole[0], right: whole[1] };
  if (how === "pad") {
    const { inner, start } = paddedContent(whole, size);
    const [down, across] = whole.map((side, axis) => side / inner[axis]);
    return {
      top: -start[0] * down,
      left: -start[1] * across,
      bottom: (size[0] - start[0]) * down,
      right: (size[1] - start[1]) * across,
    };
  }
  const by = reduction(whole, size, how);
  const scale = Math.max(size[0] / whole[0], size[1] / whole[1]);
  const [[top, bottom], [left, right]] = whole.map((side, axis) => {
    const kept = Math.min(side, Math.max(1, roundEven(size[axis] / scale)));
    const start = Math.floor(Math.floor((side - kept) / 2) / by) * by;
    return [start, start + kept];
  });
  return { top, left, bottom, right };
}

/**
 * A picture at the network's size.
 * @param {{data: Uint8Array, height: number, width: number, channels: number}} picture rows of pixels, channels last
 * @param {number[]} size [height, width] of the result
 * @param {"crop" | "pad" | "stretch"} how
 */
export function fit(picture, size, how) {
  const whole = [picture.height, picture.width];
  const large = picture.height * picture.width > LARGE;
  const by = large ? reduction(whole, size, how) : 1;
  const pixels = by > 1 ? averaged(picture, by) : picture;
  if (pixels.height === size[0] && pixels.width === size[1]) return pixels;
  if (how === "pad") return padded(pixels, whole, by, size);
  return resized(pixels, visibleWindow(whole, size, how), by, size);
}

function averaged({ data, height, width, channels }, by) {
  const rows = Math.ceil(height / by);
  const columns = Math.ceil(width / by);
  const found = new Uint8Array(rows * columns * channels);
  for (let row = 0; row < rows; row += 1) {
    const bottom = Math.min(height, (row + 1) * by);
    for (let column = 0; column < columns; column += 1) {
      const right = Math.min(width, (column + 1) * by);
      for (let c = 0; c < channels; c += 1) {
        let total = 0;
        for (let y = row * by; y < bottom; y += 1) {
          for (let x = column * by; x < right; x += 1) total += data[(y * width + x) * channels + c];
        }
        const count = (bottom - row * by) * (right - column * by);
        found[(row * columns + column) * channels + c] = roundEven(Math.fround(total / count));
      }
    }
  }
  return { data: found, height: rows, width: columns, channels };
}

function padded(pixels, whole, by, size) {
  const { inner, start } = paddedContent(whole, size);
  const same = pixels.height === inner[0] && pixels.width === inner[1];
  const window = { top: 0, left: 0, bottom: whole[0], right: whole[1] };
  const content = same ? pixels : resized(pixels, window, by, inner);
  const { channels } = pixels;
  const count = inner[0] * inner[1];
  const data = new Uint8Array(size[0] * size[1] * channels);
  for (let c = 0; c < channels; c += 1) {
    let total = 0;
    for (let i = 0; i < count; i += 1) total += content.data[i * channels + c];
    const mean = roundEven(total / count);
    for (let i = c; i < data.length; i += channels) data[i] = mean;
  }
  for (let row = 0; row < inner[0]; row += 1) {
    const line = content.data.subarray(row * inner[1] * channels, (row + 1) * inner[1] * channels);
    data.set(line, ((row + start[0]) * size[1] + start[1]) * channels);
  }
  return { data, height: size[0], width: size[1], channels };
}

/** A window, in pixels of the file, of pixels that are reduced by `by`: columns first, each pass rounded to bytes. */
function resized({ data, height, width, channels }, { top, left, bottom, right }, by, size) {
  const first = [Math.floor(top / by), Math.floor(left / by)];
  const last = [Math.min(height, Math.ceil(bottom / by)), Math.min(width, Math.ceil(right / by))];
  const across = resizeWeights(last[1] - first[1], size[1], (right - left) / (size[1] * by));
  const down = resizeWeights(last[0] - first[0], size[0], (bottom - top) / (size[0] * by));
  const rows = last[0] - first[0];
  const middle = new Uint8Array(rows * size[1] * channels);
  for (let row = 0; row < rows; row += 1) {
    const from = ((row + first[0]) * width + first[1]) * channels;
    const to = row * size[1] * channels;
    for (let c = 0; c < channels; c += 1) apply(across, data, from + c, channels, middle, to + c, channels);
  }
  const found = new Uint8Array(size[0] * size[1] * channels);
  const stride = size[1] * channels;
  for (let i = 0; i < stride; i += 1) apply(down, middle, i, stride, found, i, stride);
  return { data: found, height: size[0], width: size[1], channels };
}

function apply({ weights, starts, counts, unit }, source, from, step, target, to, targetStep) {
  let position = 0;
  for (let i = 0; i < starts.length; i += 1) {
    let total = 0;
    for (let k = 0; k < counts[i]; k += 1) {
      total += weights[position] * source[from + (starts[i] + k) * step];
      position += 1;
    }
    target[to + i * targetStep] = Math.max(0, Math.min(255, Math.floor(total / unit + 0.5)));
  }
}

/** Weights of PyTorch's antialiased bicubic interpolation of bytes: whole numbers of 15 bits. */
function resizeWeights(inputs, outputs, givenScale) {
  const scale = inputs === outputs ? 1 : givenScale;
  const wide = Math.max(scale, 1);
  const kernels = [];
  const starts = [];
  let largest = 0;
  for (let i = 0; i < outputs; i += 1) {
    const center = scale * (i + 0.5);
    const start = Math.trunc(Math.max(center - wide * 2 + 0.5, 0));
    const end = Math.min(Math.trunc(center + wide * 2 + 0.5), inputs);
    const kernel = [];
    let total = 0;
    for (let j = start; j < end; j += 1) {
      kernel.push(cubic((j - center + 0.5) / wide));
      total += kernel[kernel.length - 1];
    }
    kernels.push(kernel.map((value) => value / total));
    starts.push(start);
    largest = Math.max(largest, ...kernels[i]);
  }
  let unit = 1;
  for (let bits = 1; bits <= MOST_BITS && Math.floor(2 ** bits * largest + 0.5) < 2 ** 15; bits += 1) unit = 2 ** bits;
  const weights = kernels.flat().map((value) => Math.trunc(value * unit + (value < 0 ? -0.5 : 0.5)));
  return { weights, starts, counts: kernels.map((kernel) => kernel.length), unit };
}

function cubic(distance) {
  const x = Math.abs(distance);
  if (x < 1) return ((CUBIC + 2) * x - (CUBIC + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * CUBIC : 0;
}
