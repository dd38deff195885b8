/** A network: its weights, its nodes in order, and what they compute for one picture. */

import { OPERATORS } from "./operators.js";
import { sizeOf, tensor } from "./tensor.js";

/**
 * Read a network.
 * @param {{nodes: object[], weights: object[], constants: object}} graph as written by `page_graph.py`
 * @param {string} encoded the weights' bytes in base64
 */
export function openNetwork(graph, encoded) {
  const letters = atob(encoded);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < bytes.length; i += 1) bytes[i] = letters.charCodeAt(i);
  const fixed = new Map();
  for (const { name, shape, offset, type } of graph.weights) {
    fixed.set(name, tensor(shape, floats(bytes, offset, sizeOf(shape), type)));
  }
  for (const [name, { shape, values }] of Object.entries(graph.constants)) {
    fixed.set(name, tensor(shape, Float64Array.from(values)));
  }
  return { nodes: graph.nodes, fixed };
}

/**
 * Compute all values that depend on the given ones.
 * @param {{nodes: object[], fixed: Map}} network from `openNetwork`
 * @param {Map} given tensors by name
 * @param {string} until the name at which to stop; "": compute everything
 * @returns {Map} the given and the computed tensors by name
 */
export function compute(network, given, until = "") {
  const values = new Map(given);
  const read = (name) => (name === "" ? undefined : (values.get(name) ?? network.fixed.get(name)));
  for (const { operator, inputs, output, attributes } of network.nodes) {
    if (values.has(output)) continue;
    values.set(output, OPERATORS[operator](inputs.map(read), attributes));
    if (output === until) break;
  }
  return values;
}

/** The nodes that lie between two values, as a network of its own: what must be computed again if the first changes. */
export function between(network, first, last) {
  const changed = new Set([first]);
  const after = network.nodes.filter(({ inputs, output }) => {
    const depends = output !== first && inputs.some((name) => changed.has(name));
    if (depends) changed.add(output);
    return depends;
  });
  const needed = new Set([last]);
  const nodes = [];
  for (const node of after.reverse()) {
    if (!needed.has(node.output)) continue;
    nodes.unshift(node);
    node.inputs.forEach((name) => needed.add(name));
  }
  return { nodes, fixed: network.fixed };
}

function floats(bytes, offset, count, type) {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset);
  const found = new Float32Array(count);
  const half = type === "float16";
  for (let i = 0; i < count; i += 1) {
    found[i] = half ? fromHalf(view.getUint16(2 * i, true)) : view.getFloat32(4 * i, true);
  }
  return found;
}

/** The number that 16 bits stand for (IEEE 754). */
function fromHalf(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -14 * (fraction / 1024));
}
