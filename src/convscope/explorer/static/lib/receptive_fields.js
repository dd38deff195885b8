/** Where on the picture a unit looks: one unit of each layer is asked for, the others lie a stride further. */

import { get } from "./api.js";
import { moved } from "./network_tree.js";
import { session } from "./session.js";

const known = new Map();

/**
 * A function from a place on a layer's maps to the box that it sees.
 * @param {string} image
 * @param {import("./network_tree.js").Node} node
 * @returns {Promise<(row: number, column: number) => number[] | null>} boxes x1, y1, x2, y2 in pixels of the picture
 */
export async function fieldsOf(image, node) {
  const [, height = 1, width = 1] = node.shape;
  if (!node.field || !node.jump) return () => [0, 0, session.run.input.width, session.run.input.height];
  if (!known.has(node.name)) {
    const [row, column] = [Math.floor(height / 2), Math.floor(width / 2)];
    const asked = get(`inputs/${encodeURIComponent(image)}/unit`, {
      layer: node.name,
      channel: 0,
      row,
      column,
      most: 1,
    });
    known.set(
      node.name,
      asked.then(({ field }) => ({ field: unclipped(field, node.field), row, column })),
    );
    known.get(node.name).catch(() => known.delete(node.name));
  }
  const one = await known.get(node.name);
  return (row, column) => moved(one, node.jump, row, column);
}

/**
 * A box as large as the field, from one that the picture's border may have cut.
 * @param {number[]} box
 * @param {number[]} size height and width of the whole field
 * @returns {number[]} about the same middle where both sides were cut
 */
export function unclipped([x1, y1, x2, y2], [height, width]) {
  const [left, right] = grown(x1, x2, width, session.run?.input.width ?? x2);
  const [upper, lower] = grown(y1, y2, height, session.run?.input.height ?? y2);
  return [left, upper, right, lower];
}

function grown(from, to, size, side) {
  const lacking = size - (to - from);
  if (lacking <= 0) return [from, to];
  if (from > 0) return [from, from + size];
  if (to < side) return [to - size, to];
  return [from - lacking / 2, to + lacking / 2];
}
