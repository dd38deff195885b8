/** Tensors: a shape and its numbers, in rows. */

/** @returns {{shape: number[], data: Float32Array}} */
export function tensor(shape, data = new Float32Array(sizeOf(shape))) {
  return { shape, data };
}

export function sizeOf(shape) {
  return shape.reduce((total, side) => total * side, 1);
}

/** How far apart neighbours along each axis lie. */
export function stridesOf(shape) {
  const strides = new Array(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis -= 1) strides[axis] = strides[axis + 1] * shape[axis + 1];
  return strides;
}

/** Read the elements at strides from an offset, in rows of `shape`. */
export function gatherStrided(source, shape, strides, offset = 0) {
  const found = tensor(shape);
  const index = new Array(shape.length).fill(0);
  let position = offset;
  for (let i = 0; i < found.data.length; i += 1) {
    found.data[i] = source[position];
    for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
      index[axis] += 1;
      position += strides[axis];
      if (index[axis] < shape[axis]) break;
      position -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return found;
}

/** Combine two tensors element by element, broadcast. */
export function broadcast(a, b, combine) {
  const rank = Math.max(a.shape.length, b.shape.length);
  const full = [a, b].map(({ shape }) => [...new Array(rank - shape.length).fill(1), ...shape]);
  const shape = full[0].map((side, axis) => (side === 1 ? full[1][axis] : side));
  const [x, y] = [a, b].map(({ data }, i) => {
    if (full[i].every((side, axis) => side === shape[axis])) return data;
    const strides = stridesOf(full[i]).map((stride, axis) => (full[i][axis] === 1 ? 0 : stride));
    return gatherStrided(data, shape, strides).data;
  });
  const found = tensor(shape);
  for (let i = 0; i < found.data.length; i += 1) found.data[i] = combine(x[i], y[i]);
  return found;
}

/** Apply a function to each element. */
export function map(x, change) {
  const found = tensor(x.shape);
  for (let i = 0; i < found.data.length; i += 1) found.data[i] = change(x.data[i]);
  return found;
}

/** Fold the elements along axes: `finish` gets the folded value and the number of elements. */
export function reduce(x, axes, keep, start, fold, finish = (value) => value) {
  const rank = x.shape.length;
  const gone = new Set((axes ?? x.shape.map((_, axis) => axis)).map((axis) => (axis + rank) % rank));
  const strides = stridesOf(x.shape);
  const order = [...x.shape.keys()];
  const kept = order.filter((axis) => !gone.has(axis));
  const folded = order.filter((axis) => gone.has(axis));
  const moved = [...kept, ...folded];
  const inPlace = moved.every((axis, i) => axis === i);
  const rows = inPlace
    ? x.data
    : gatherStrided(x.data, moved.map((axis) => x.shape[axis]), moved.map((axis) => strides[axis])).data;
  const length = sizeOf(folded.map((axis) => x.shape[axis]));
  const shape = keep ? x.shape.map((side, axis) => (gone.has(axis) ? 1 : side)) : kept.map((axis) => x.shape[axis]);
  const found = tensor(shape);
  for (let i = 0; i < found.data.length; i += 1) {
    let value = start;
    for (let k = 0; k < length; k += 1) value = fold(value, rows[i * length + k], k);
    found.data[i] = finish(value, length);
  }
  return found;
}
