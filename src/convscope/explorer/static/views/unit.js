/** View: the arithmetic of one unit, from the places of the picture that it sees to the number that it gives. */

import { get, replaced } from "../lib/api.js";
import { choice, head, trouble } from "../widgets/parts.js";
import { fill, h } from "../lib/dom.js";
import { figure, percent } from "../lib/numbers.js";
import { find, leaves, spoken, volume } from "../lib/network_tree.js";
import { go, here, write } from "../lib/router.js";
import { mixes, point, receipt } from "../widgets/unit_terms.js";
import { maps, most } from "../lib/feature_maps.js";
import { newest } from "../lib/latest_request.js";
import { pixels } from "../widgets/map_viewer.js";
import { className, session, tell } from "../lib/session.js";
import { windows } from "../widgets/input_windows.js";

const TERMS = 512;

/**
 * The view.
 * @param {{rail: any}} page
 */
export function unit({ rail }) {
  const held = { said: {}, unit: null, signal: newest() };
  const move = (row, column) => go("unit", { ...held.said, row, column }, { quiet: true });
  const map = pixels({ name: "The unit’s map", onPick: move, follows: true });
  const chooser = h("div.row.form.unsaved");
  const facts = h("div.stack.close");
  const where = h(
    "section.card.stack",
    {},
    h("h2", {}, "Which unit"),
    chooser,
    h("div.beside", {}, map.element, facts),
  );
  const seen = h("section.card.stack");
  const sum = h("section.card.receipt-paper");
  const element = h("div.stack", {});
  fill(
    element,
    head(
      "One unit",
      "Every number that a network gives is a sum that can be written down. Here is one, the way this network computed it.",
      () => document.getElementById("frame"),
    ),
    h("div.arithmetic", {}, h("div.stack", {}, where, seen), sum),
  );
  const parts = { rail, map, where, chooser, facts, seen, sum };
  const again = () => {
    if (held.unit) showUnit(held, parts);
  };
  window.addEventListener("theme", again);
  return {
    element,
    show: (said) => show(held, parts, said),
    leave: () => {
      rail.field(null);
      window.removeEventListener("theme", again);
    },
  };
}

async function show(held, parts, said) {
  const nameless = said.layer?.startsWith("@"); // a result between two layers: it has arithmetic, but no maps of its own
  const node = nameless
    ? { name: said.layer, shape: [Infinity, Infinity, Infinity] }
    : (find(session.network, said.layer ?? "") ?? leaves(session.network.sections)[0]);
  const [total, height, width] = volume(node.shape);
  held.said = {
    image: said.image,
    layer: node.name,
    channel: within(said.channel, total, 0),
    row: within(said.row, height, nameless ? 0 : Math.floor(height / 2)),
    column: within(said.column, width, nameless ? 0 : Math.floor(width / 2)),
  };
  choose(held.said, parts.chooser, total);
  const signal = held.signal();
  const { image, layer, channel, row, column } = held.said;
  try {
    const [answer, found] = await Promise.all([
      nameless
        ? null
        : maps(image, layer, { from: channel, to: channel + 1, values: "float", network: session.run.network }),
      get(`inputs/${encodeURIComponent(image)}/unit`, { layer, channel, row, column, most: TERMS }, signal),
    ]);
    if (signal.aborted) return;
    parts.map.element.hidden = nameless || height * width === 1;
    if (answer) parts.map.show(answer.maps[0], most(answer.maps), row, column);
    held.unit = found;
    showUnit(held, parts);
    tell("say", `${spoken(layer)}, channel ${channel}, row ${row}, column ${column}: ${figure(found.value)}`);
  } catch (error) {
    if (replaced(error)) return;
    parts.rail.field(null);
    fill(parts.seen);
    fill(
      parts.sum,
      trouble(error, () => show(held, parts, here().said)),
    );
  }
}

function showUnit(held, { rail, facts, seen, sum }) {
  const { unit: found, said } = held;
  rail.field(found.field);
  const paper = receipt(found, (term) => link(said, term));
  const mixing = found.steps.find(mixes);
  const over = (term) => {
    point(paper, term);
    rail.field(found.field, term && term.layer === "input" && !term.padded ? [term.row, term.column] : null);
  };
  const drawn = mixing ? windows(mixing, over) : null;
  const last = said.layer === session.network.output && session.run.classes.length > 0;
  fill(
    sum,
    h(
      "div.row.spread",
      {},
      h(
        "h2",
        {},
        last ? `How sure of “${className(said.channel)}”` : `Channel ${said.channel} at ${said.row}, ${said.column}`,
      ),
      h("span.soft.small", {}, spoken(said.layer)),
    ),
    paper,
  );
  fill(
    facts,
    found.field ? h("p", {}, sees(found.field)) : null,
    mixing && mixing.count > 1 ? h("p", {}, made(mixing)) : null,
    h(
      "p.soft.small",
      {},
      "Arrow keys, or a click on the map, move the unit. Every line of the sum is a link to how that value was made.",
    ),
  );
  seen.hidden = !drawn;
  fill(seen, h("h2", {}, "What it looked at"), drawn);
}

function sees([x1, y1, x2, y2]) {
  const area = ((x2 - x1) * (y2 - y1)) / (session.run.input.width * session.run.input.height);
  return `It sees ${y2 - y1} × ${x2 - x1} pixels, ${percent(area)} of the picture: rows ${y1} to ${y2 - 1}, columns ${x1} to ${x2 - 1}.`;
}

function made(step) {
  const from = step.window?.layer ? `, from ${spoken(step.window.layer)}` : "";
  const what = { "max pool": "values, of which the largest wins", add: "values, added up" }[step.op] ?? "products";
  return `It is made of ${step.count.toLocaleString("en-US")} ${what}${from}.`;
}

function choose(said, chooser, total) {
  const options = leaves(session.network.sections).map((node) => [node.name, spoken(node.name)]);
  if (!options.some(([name]) => name === said.layer)) options.unshift([said.layer, `${spoken(said.layer)} (whole)`]);
  if (!Number.isFinite(total)) total = said.channel + 1;
  const number = h("input", { type: "number", min: 0, max: total - 1, value: said.channel });
  number.addEventListener("change", () => go("unit", { ...said, channel: within(number.value, total, 0) }));
  fill(
    chooser,
    choice("Layer", options, said.layer, (layer) => go("unit", { image: said.image, layer, channel: 0 })),
    h("label.field", {}, `Channel, 0 to ${total - 1}`, number),
    h("a.button", { href: write("landscape", said) }, "In the landscape"),
  );
}

function link(said, term) {
  if (!term.layer || term.layer === "input") return null;
  return write("unit", {
    image: said.image,
    layer: term.layer,
    channel: term.channel,
    row: term.row,
    column: term.column,
  });
}

function within(text, size, otherwise) {
  const number = Number(text);
  if (text === undefined || text === null || text === "" || !Number.isInteger(number)) return otherwise;
  return Math.max(0, Math.min(size - 1, number));
}
