/** The network's module tree as the server describes it, and queries on it. All pure functions. */

/**
 * A section, block or layer (docs/reference/explorer-api.md: NODE).
 * @typedef {{name: string, label: string, role: string, class: string, description: string, group: string,
 *   shape: number[], input_shape: number[], parameters: number,
 *   rf_size: number[] | null, rf_stride: number[] | null, inputs: string[], children: Node[]}} Node
 */

/**
 * The stages of the map strip: each section, and in the head every convolution or fully connected layer.
 * @param {{sections: Node[]}} network
 * @returns {Node[]}
 */
export function stages(network) {
  const result = [];
  for (const section of network.sections) {
    if (section.name !== "head" && !section.name.startsWith("head.")) result.push(section);
    else result.push(...headStages(section));
  }
  return result.filter((node) => node.shape.length > 0);
}

/**
 * The stage that contains a layer: the one whose name is a prefix of its name; in the head, the first at or after it.
 * @param {Node[]} allStages
 * @param {{sections: Node[]}} network
 * @param {string} layer
 * @returns {Node | undefined}
 */
export function stageOf(allStages, network, layer) {
  const within = allStages.find((stage) => layer === stage.name || layer.startsWith(`${stage.name}.`));
  if (within) return within;
  const order = leaves(network.sections).map((node) => node.name);
  return allStages.find((stage) => order.indexOf(stage.name) >= order.indexOf(layer)) ?? allStages.at(-1);
}

/**
 * All nodes, parents first.
 * @param {Node[]} nodes
 * @returns {Node[]}
 */
export function allNodes(nodes) {
  return nodes.flatMap((node) => [node, ...allNodes(node.children)]);
}

/**
 * All leaf layers, in the order of computation.
 * @param {Node[]} nodes
 * @returns {Node[]}
 */
export function leaves(nodes) {
  return nodes.flatMap((node) => (node.children.length ? leaves(node.children) : [node]));
}

/**
 * The modules that contain a layer, outermost first.
 * @param {Node | undefined} section
 * @param {string} name
 * @returns {Node[]} empty if the section has no children
 */
export function ancestors(section, name) {
  if (!section?.children.length) return [];
  const next = section.children.find((child) => name === child.name || name.startsWith(`${child.name}.`));
  return [section, ...ancestors(next, name)];
}

/**
 * The node with a name.
 * @param {{sections: Node[]}} network
 * @param {string} name
 * @returns {Node | undefined}
 */
export function findNode(network, name) {
  return allNodes(network.sections).find((node) => node.name === name);
}

/**
 * A shape as text: "16 × 5 × 5" for maps, "120" for units.
 * @param {number[]} shape
 * @returns {string}
 */
export function formatShape(shape) {
  return shape.join(" × ");
}

/**
 * Channels, height and width; 1 and 1 for a vector.
 * @param {number[]} sides
 * @returns {[number, number, number]}
 */
export function mapShape([channels, height = 1, width = 1]) {
  return [channels, height, width];
}

/**
 * The display name of a layer: "stages.1.0.body" is "stage 2 · 0 · body".
 * @param {string} name
 * @returns {string}
 */
export function layerLabel(name) {
  if (name === "input") return "input image";
  if (name.startsWith("@")) return "intermediate result";
  const parts = name.split(".");
  const words = parts[0] === "stages" && parts.length > 1 ? [`stage ${Number(parts[1]) + 1}`] : [parts[0]];
  return [...words, ...parts.slice(parts[0] === "stages" ? 2 : 1)].join(" · ");
}

/**
 * The receptive field of a unit, from that of another unit of the layer and the stride.
 * @param {{field: number[], row: number, column: number}} known
 * @param {number[]} stride [down, across]
 * @param {number} row
 * @param {number} column
 * @returns {[number, number, number, number]} x1, y1, x2, y2
 */
export function shiftedField({ field, row, column }, stride, row2, column2) {
  const down = (row2 - row) * stride[0];
  const across = (column2 - column) * stride[1];
  return [field[0] + across, field[1] + down, field[2] + across, field[3] + down];
}

/**
 * The names beside the last stage: the classes, if there are few and each has a unit.
 * @param {{run: any, network: any}} session
 * @returns {string[]}
 */
export function outputNames({ run, network }) {
  const last = stages(network).at(-1);
  const fits =
    run.classes.length > 0 &&
    run.classes.length <= 24 &&
    last &&
    last.shape.length === 1 &&
    last.shape[0] === run.classes.length;
  return fits ? run.classes : [];
}

function headStages(section) {
  const weightLayers = leaves([section]).filter(
    (node) => node.group === "fully connected" || node.group === "convolution",
  );
  return weightLayers.length ? weightLayers : [section];
}
