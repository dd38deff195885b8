/** The network's tree as the server tells it, and the questions that views ask of it. All pure. */

/**
 * A section, block or layer (docs/explorer-api.md: NODE).
 * @typedef {{name: string, label: string, role: string, class: string, says: string, group: string, shape: number[],
 *   takes: number[],
 *   weights: number, field: number[] | null, jump: number[] | null, reads: string[], children: Node[]}} Node
 */

/**
 * Where the landscape stops: the picture, each section, and in the head every layer that mixes.
 * @param {{sections: Node[]}} network
 * @returns {Node[]}
 */
export function stops(network) {
  const found = [];
  for (const section of network.sections) {
    if (section.name !== "head" && !section.name.startsWith("head.")) found.push(section);
    else found.push(...headStops(section));
  }
  return found.filter((node) => node.shape.length > 0);
}

/**
 * The stop that a layer lies in: the one whose name it has or begins with; of a head's, the first at or after it.
 * @param {Node[]} all
 * @param {{sections: Node[]}} network
 * @param {string} layer
 * @returns {Node | undefined}
 */
export function stopOf(all, network, layer) {
  const within = all.find((stop) => layer === stop.name || layer.startsWith(`${stop.name}.`));
  if (within) return within;
  const order = leaves(network.sections).map((node) => node.name);
  return all.find((stop) => order.indexOf(stop.name) >= order.indexOf(layer)) ?? all.at(-1);
}

/**
 * All nodes, parents first.
 * @param {Node[]} nodes
 * @returns {Node[]}
 */
export function everything(nodes) {
  return nodes.flatMap((node) => [node, ...everything(node.children)]);
}

/**
 * All layers, in the order of computation.
 * @param {Node[]} nodes
 * @returns {Node[]}
 */
export function leaves(nodes) {
  return nodes.flatMap((node) => (node.children.length ? leaves(node.children) : [node]));
}

/**
 * The parts around a layer that have parts themselves, outermost first.
 * @param {Node | undefined} section
 * @param {string} name
 * @returns {Node[]} empty where the section has no parts
 */
export function path(section, name) {
  if (!section?.children.length) return [];
  const next = section.children.find((child) => name === child.name || name.startsWith(`${child.name}.`));
  return [section, ...path(next, name)];
}

/**
 * The node of a name.
 * @param {{sections: Node[]}} network
 * @param {string} name
 * @returns {Node | undefined}
 */
export function find(network, name) {
  return everything(network.sections).find((node) => node.name === name);
}

/**
 * A shape in words: "16 × 5 × 5" maps, "120" units.
 * @param {number[]} shape
 * @returns {string}
 */
export function shape(shape) {
  return shape.join(" × ");
}

/**
 * Channels, height and width; a vector's places are one.
 * @param {number[]} sides
 * @returns {[number, number, number]}
 */
export function volume([channels, height = 1, width = 1]) {
  return [channels, height, width];
}

/**
 * A layer's name for people: "stages.1.0.body.0.conv" is "stage 2, block 1, body 0 conv".
 * @param {string} name
 * @returns {string}
 */
export function spoken(name) {
  if (name === "input") return "the picture";
  if (name.startsWith("@")) return "a step in between";
  const parts = name.split(".");
  const said = parts[0] === "stages" && parts.length > 1 ? [`stage ${Number(parts[1]) + 1}`] : [parts[0]];
  return [...said, ...parts.slice(parts[0] === "stages" ? 2 : 1)].join(" · ");
}

/**
 * Where a unit's receptive field lies, from one that is known and the stride.
 * @param {{field: number[], row: number, column: number}} known
 * @param {number[]} jump [down, across]
 * @param {number} row
 * @param {number} column
 * @returns {[number, number, number, number]} x1, y1, x2, y2
 */
export function moved({ field, row, column }, jump, row2, column2) {
  const down = (row2 - row) * jump[0];
  const across = (column2 - column) * jump[1];
  return [field[0] + across, field[1] + down, field[2] + across, field[3] + down];
}

/**
 * The names that stand beside the last stop: the classes, where there are few and each has its unit.
 * @param {{run: any, network: any}} session
 * @returns {string[]}
 */
export function outputs({ run, network }) {
  const last = stops(network).at(-1);
  const fits =
    run.classes.length > 0 &&
    run.classes.length <= 24 &&
    last &&
    last.shape.length === 1 &&
    last.shape[0] === run.classes.length;
  return fits ? run.classes : [];
}

function headStops(section) {
  const mixing = leaves([section]).filter((node) => node.group === "fully connected" || node.group === "convolution");
  return mixing.length ? mixing : [section];
}
