/** The operators of a network, by their names in ONNX: functions from inputs and attributes to one tensor. */

import { convolve, convolveTransposed, pool } from "./convolution.js";
import { broadcast, gatherStrided, map, reduce, sizeOf, stridesOf, tensor } from "./tensor.js";

const PLAIN = { strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1], group: 1 };
const unary = (change) => ([x]) => map(x, change);
const binary = (combine) => ([a, b]) => broadcast(a, b, combine);
const larger = (a, b) => (a > b ? a : b);
const sigmoid = (value) => 1 / (1 + Math.exp(-value));
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

export const OPERATORS = {
  Conv: ([x, weight, bias], settings) => convolve(x, weight, bias?.data ?? null, { ...PLAIN, ...settings }),
  ConvTranspose: ([x, weight, bias], settings) =>
    convolveTransposed(x, weight, bias?.data ?? null, { ...PLAIN, ...settings }),
  MaxPool: ([x], settings) => pool(x, "max", { ...PLAIN, ...settings }),
  AveragePool: ([x], settings) => pool(x, "mean", { ...PLAIN, ...settings }),
  BatchNormalization: normaliseBatch,
  Gemm: gemm,
  MatMul: ([a, b]) => gemm([a, b], {}),
  Relu: unary((value) => (value > 0 ? value : 0)),
  Sigmoid: unary(sigmoid),
  Tanh: unary(Math.tanh),
  Exp: unary(Math.exp),
  Sqrt: unary(Math.sqrt),
  Erf: unary(erf),
  Neg: unary((value) => -value),
  Softplus: unary((value) => Math.log1p(Math.exp(-Math.abs(value))) + Math.max(value, 0)),
  HardSwish: unary((value) => value * clamp(value / 6 + 0.5, 0, 1)),
  HardSigmoid: ([x], { alpha = 0.2, beta = 0.5 }) => map(x, (value) => clamp(alpha * value + beta, 0, 1)),
  LeakyRelu: ([x], { alpha = 0.01 }) => map(x, (value) => (value < 0 ? alpha * value : value)),
  Elu: ([x], { alpha = 1 }) => map(x, (value) => (value < 0 ? alpha * Math.expm1(value) : value)),
  Gelu: ([x], { approximate = "none" }) => map(x, approximate === "tanh" ? geluByTanh : gelu),
  Clip: ([x, low, high]) => map(x, (value) => clamp(value, low ? low.data[0] : -Infinity, high ? high.data[0] : Infinity)),
  Softmax: softmax,
  Add: binary((a, b) => a + b),
  Sub: binary((a, b) => a - b),
  Mul: binary((a, b) => a * b),
  Div: binary((a, b) => a / b),
  Pow: binary((a, b) => a ** b),
  Max: (all) => all.reduce((a, b) => broadcast(a, b, Math.max)),
  Min: (all) => all.reduce((a, b) => broadcast(a, b, Math.min)),
  GreaterOrEqual: binary((a, b) => (a >= b ? 1 : 0)),
  PRelu: binary((a, slope) => (a < 0 ? a * slope : a)),
  ReduceMean: reducing(0, (a, b) => a + b, (total, count) => total / count),
  ReduceSum: reducing(0, (a, b) => a + b),
  ReduceMax: reducing(-Infinity, larger),
  GlobalAveragePool: ([x]) => reduce(x, [2, 3], true, 0, (a, b) => a + b, (total, count) => total / count),
  ArgMax: ([x], { axis = 0, keepdims = 1 }) => argMax(x, axis, keepdims === 1),
  Reshape: reshape,
  Flatten: ([x], { axis = 1 }) => tensor([sizeOf(x.shape.slice(0, axis)), sizeOf(x.shape.slice(axis))], x.data),
  Unsqueeze: ([x, axes]) => tensor(withAxes(x.shape, axes.data), x.data),
  Squeeze: ([x, axes]) => tensor(withoutAxes(x.shape, axes?.data), x.data),
  Identity: ([x]) => x,
  Cast: ([x]) => x,
  Transpose: ([x], { perm }) => {
    const strides = stridesOf(x.shape);
    return gatherStrided(x.data, perm.map((axis) => x.shape[axis]), perm.map((axis) => strides[axis]));
  },
  Concat: concatenate,
  Slice: slice,
  Pad: pad,
};

/** alpha A' B' + beta C, of (rows, inner) and (inner, columns). */
function gemm([a, b, c], { alpha = 1, beta = 1, transA = 0, transB = 0 }) {
  const inner = transA ? a.shape[0] : a.shape[a.shape.length - 1];
  const rows = a.data.length / inner;
  const columns = transB ? b.shape[0] : b.shape[b.shape.length - 1];
  const found = tensor(transA ? [rows, columns] : [...a.shape.slice(0, -1), columns]);
  const added = c ? broadcast(c, tensor([rows, columns]), (value) => value).data : null;
  const [aRow, aStep] = transA ? [1, rows] : [inner, 1];
  const [bColumn, bStep] = transB ? [inner, 1] : [1, columns];
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      let total = 0;
      for (let k = 0; k < inner; k += 1) {
        total += a.data[row * aRow + k * aStep] * b.data[column * bColumn + k * bStep];
      }
      const i = row * columns + column;
      found.data[i] = alpha * total + (added ? beta * added[i] : 0);
    }
  }
  return found;
}

/** Batch norm with stored statistics, of convolutions that are used several times and so were not merged with it. */
function normaliseBatch([x, scale, shift, mean, variance], { epsilon = 1e-5 }) {
  const found = tensor(x.shape);
  const area = sizeOf(x.shape.slice(2));
  for (let i = 0; i < x.data.length; i += 1) {
    const c = Math.floor(i / area) % x.shape[1];
    const factor = scale.data[c] / Math.sqrt(variance.data[c] + epsilon);
    found.data[i] = (x.data[i] - mean.data[c]) * factor + shift.data[c];
  }
  return found;
}

function reducing(start, fold, finish) {
  return ([x, axes], { keepdims = 1, axes: given }) =>
    reduce(x, axes ? [...axes.data] : given, keepdims === 1, start, fold, finish);
}

function argMax(x, axis, keep) {
  let best = -Infinity;
  return reduce(x, [axis], keep, 0, (found, value, k) => {
    if (k > 0 && !(value > best)) return found;
    best = value;
    return k;
  });
}

function softmax([x], { axis = -1 }) {
  const largest = reduce(x, [axis], true, -Infinity, larger);
  const powers = broadcast(x, largest, (value, most) => Math.exp(value - most));
  const total = reduce(powers, [axis], true, 0, (a, b) => a + b);
  return broadcast(powers, total, (value, sum) => value / sum);
}

function reshape([x, wanted], { allowzero = 0 }) {
  const shape = [...wanted.data].map((side, axis) => (side === 0 && !allowzero ? x.shape[axis] : side));
  const open = shape.indexOf(-1);
  if (open >= 0) shape[open] = x.data.length / -sizeOf(shape);
  return tensor(shape, x.data);
}

function withAxes(shape, axes) {
  const rank = shape.length + axes.length;
  const added = new Set([...axes].map((axis) => (axis + rank) % rank));
  let next = 0;
  return Array.from({ length: rank }, (_, axis) => (added.has(axis) ? 1 : shape[next++]));
}

function withoutAxes(shape, axes) {
  if (!axes) return shape.filter((side) => side !== 1);
  const gone = new Set([...axes].map((axis) => (axis + shape.length) % shape.length));
  return shape.filter((_, axis) => !gone.has(axis));
}

function concatenate(parts, { axis }) {
  const rank = parts[0].shape.length;
  const at = (axis + rank) % rank;
  const shape = [...parts[0].shape];
  shape[at] = parts.reduce((total, part) => total + part.shape[at], 0);
  const found = tensor(shape);
  const rows = sizeOf(shape.slice(0, at));
  const full = sizeOf(shape.slice(at));
  let offset = 0;
  for (const part of parts) {
    const length = part.data.length / rows;
    for (let row = 0; row < rows; row += 1) {
      found.data.set(part.data.subarray(row * length, (row + 1) * length), row * full + offset);
    }
    offset += length;
  }
  return found;
}

function slice([x, starts, ends, axes, steps]) {
  const shape = [...x.shape];
  const strides = stridesOf(x.shape);
  let offset = 0;
  starts.data.forEach((start, i) => {
    const axis = ((axes ? axes.data[i] : i) + shape.length) % shape.length;
    const step = steps ? steps.data[i] : 1;
    const side = x.shape[axis];
    const [low, high] = step > 0 ? [0, side] : [-1, side - 1];
    const from = clamp(start < 0 ? start + side : start, Math.max(low, 0), high);
    const to = clamp(ends.data[i] < 0 ? ends.data[i] + side : ends.data[i], low, step > 0 ? side : high);
    shape[axis] = Math.max(0, Math.ceil((to - from) / step));
    offset += from * strides[axis];
    strides[axis] *= step;
  });
  return gatherStrided(x.data, shape, strides, offset);
}

function pad([x, amounts, value, axes], { mode = "constant" }) {
  const rank = x.shape.length;
  const before = new Array(rank).fill(0);
  const after = new Array(rank).fill(0);
  const chosen = axes ? [...axes.data].map((axis) => (axis + rank) % rank) : [...before.keys()];
  chosen.forEach((axis, i) => {
    before[axis] = amounts.data[i];
    after[axis] = amounts.data[i + chosen.length];
  });
  const found = tensor(x.shape.map((side, axis) => side + before[axis] + after[axis]));
  const strides = stridesOf(x.shape);
  const index = new Array(rank).fill(0);
  for (let i = 0; i < found.data.length; i += 1) {
    let position = 0;
    for (let axis = 0; axis < rank && position >= 0; axis += 1) {
      const at = paddedIndex(index[axis] - before[axis], x.shape[axis], mode);
      position = at < 0 ? -1 : position + at * strides[axis];
    }
    found.data[i] = position < 0 ? (value ? value.data[0] : 0) : x.data[position];
    for (let axis = rank - 1; axis >= 0; axis -= 1) {
      index[axis] += 1;
      if (index[axis] < found.shape[axis]) break;
      index[axis] = 0;
    }
  }
  return found;
}

function paddedIndex(at, side, mode) {
  if (at >= 0 && at < side) return at;
  if (mode === "edge") return clamp(at, 0, side - 1);
  if (mode === "reflect") return at < 0 ? -at : 2 * (side - 1) - at;
  return -1;
}

/** The error function, by its series near 0 and its continued fraction far from it: exact to 1e-12. */
function erf(value) {
  const x = Math.abs(value);
  if (x > 6) return Math.sign(value);
  if (x < 2.5) {
    let term = x;
    let total = x;
    for (let n = 1; Math.abs(term) > 1e-17 && n < 100; n += 1) {
      term *= (-x * x) / n;
      total += term / (2 * n + 1);
    }
    return (Math.sign(value) * 2 * total) / Math.sqrt(Math.PI);
  }
  let fraction = 0;
  for (let n = 60; n > 0; n -= 1) fraction = n / 2 / (x + fraction);
  return Math.sign(value) * (1 - Math.exp(-x * x) / ((x + fraction) * Math.sqrt(Math.PI)));
}

function gelu(value) {
  return 0.5 * value * (1 + erf(value / Math.SQRT2));
}

function geluByTanh(value) {
  return 0.5 * value * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (value + 0.044715 * value ** 3)));
}
