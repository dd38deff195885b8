/** Receptive fields: the server gives that of one unit per layer, the others are shifted by the stride. */

import { getJson } from "./api.js";
import { shiftedField } from "./network_tree.js";
import { session } from "./session.js";

const centerFields = new Map();

/**
 * A function from a position on a layer's maps to its receptive field.
 * @param {string} image
 * @param {import("./network_tree.js").Node} node
 * @returns {Promise<(row: number, column: number) => number[] | null>} boxes x1, y1, x2, y2 in image pixels
 */
export async function receptiveFields(image, node) {
  const [, height = 1, width = 1] = node.shape;
  if (!node.rf_size || !node.rf_stride) return () => [0, 0, session.run.input.width, session.run.input.height];
  if (!centerFields.has(node.name)) {
    const [row, column] = [Math.floor(height / 2), Math.floor(width / 2)];
    const request = getJson(`inputs/${encodeURIComponent(image)}/unit`, {
      layer: node.name,
      channel: 0,
      row,
      column,
      most: 1,
    });
    centerFields.set(
      node.name,
      request.then(({ field }) => ({ field: unclippedBox(field, node.rf_size), row, column })),
    );
    centerFields.get(node.name).catch(() => centerFields.delete(node.name));
  }
  const center = await centerFields.get(node.name);
  return (row, column) => shiftedField(center, node.rf_stride, row, column);
}

/**
 * The full receptive field, from a box that may be clipped at the image border.
 * @param {number[]} box
 * @param {number[]} size height and width of the full field
 * @returns {number[]} around the same center if both sides were clipped
 */
export function unclippedBox([x1, y1, x2, y2], [height, width]) {
  const [left, right] = extended(x1, x2, width, session.run?.input.width ?? x2);
  const [upper, lower] = extended(y1, y2, height, session.run?.input.height ?? y2);
  return [left, upper, right, lower];
}

function extended(from, to, size, side) {
  const missing = size - (to - from);
  if (missing <= 0) return [from, to];
  if (from > 0) return [from, from + size];
  if (to < side) return [to - size, to];
  return [from - missing / 2, to + missing / 2];
}
