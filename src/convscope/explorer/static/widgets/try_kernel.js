/** Exercise: change the weights of a kernel and see its map and the answer change. */

import { getJson, send } from "../lib/api.js";
import { maxAbs, valueColor } from "../lib/color_scale.js";
import { fill, h } from "../lib/dom.js";
import { runLatest } from "../lib/latest_request.js";
import { mapCanvas } from "../lib/map_painting.js";
import { layerLabel } from "../lib/network_tree.js";
import { selectField } from "./select_field.js";
import { answerChange } from "./answer_change.js";
import { errorMessage } from "./error_message.js";

const MOST_WEIGHTS = 49;

/** What the buttons make of a kernel. */
export const KERNEL_CHANGES = {
  "Mirror it": (rows) => rows.map((row) => [...row].reverse()),
  "Turn it": (rows) => rows[0].map((_, i) => rows.map((row) => row[i]).reverse()),
  "Reverse the signs": (rows) => rows.map((row) => row.map((weight) => -weight || 0)),
  "All zero": (rows) => rows.map((row) => row.map(() => 0)),
};

/**
 * The exercise.
 * @returns {{element: HTMLElement, show: (image: string, step: any, channel: number) => void, redraw: () => void}}
 *   step: the convolution of the unit that is shown, or undefined
 */
export function tryKernel() {
  const state = { image: "", layer: "", channel: 0, source: 0, kernel: null, weights: [], before: null };
  const body = h("div.stack.compact");
  const result = h("div.stack.compact");
  const element = h(
    "section.card.stack.compact.try-it.try-kernel",
    {},
    h("h2", {}, "Try it: move the weights"),
    h("p.muted", {}, "Change the weights of this kernel: the network computes the image again. The trained weights stay as they are."),
    body,
    result,
  );
  const compute = runLatest(() => showResult(state, result));
  const parts = { body, result, compute };
  const show = (image, step, channel) => {
    const fits = step?.op === "convolution" && step.parameters.kernel[0] * step.parameters.kernel[1] <= MOST_WEIGHTS;
    element.hidden = !fits || !step.layer || step.parameters.kernel[0] * step.parameters.kernel[1] === 1;
    if (element.hidden) return;
    if (state.image === image && state.layer === step.layer && state.channel === channel) return;
    Object.assign(state, { image, layer: step.layer, channel, source: 0 });
    load(state, parts);
  };
  return { element, show, redraw: () => colorWeights(body, state) };
}

async function load(state, parts) {
  const { layer, channel, source, image } = state;
  const isCurrent = () => state.layer === layer && state.channel === channel && state.source === source && state.image === image;
  try {
    const kernel = await getJson("kernel", { layer, channel: String(channel), source: String(source) });
    const before = await experiment({ image, layer, channel, source }, kernel.weights);
    if (!isCurrent()) return;
    Object.assign(state, { kernel, before, weights: kernel.weights.map((row) => [...row]) });
    showKernel(state, parts);
    parts.compute();
  } catch (error) {
    fill(parts.body, errorMessage(error));
    fill(parts.result);
  }
}

function experiment({ image, layer, channel, source }, weights) {
  return send("POST", `experiments/${encodeURIComponent(image)}`, { kernel: { layer, channel, source, weights } });
}

function showKernel(state, { body, result, compute }) {
  const { kernel, layer, channel } = state;
  const change = (weights) => {
    state.weights = weights;
    showKernel(state, { body, result, compute });
    compute();
  };
  const largest = maxAbs(kernel.weights.flat()) || 1;
  const cell = (row, column) => {
    const field = h("input", {
      type: "number",
      step: Number((largest / 10).toPrecision(1)),
      value: Number(state.weights[row][column].toPrecision(2)),
      "aria-label": `Weight in row ${row}, column ${column}`,
      on: {
        input: () => {
          if (!Number.isFinite(field.valueAsNumber)) return;
          state.weights[row][column] = field.valueAsNumber;
          colorWeights(body, state);
          compute();
        },
      },
    });
    return h("label", {}, h("i.weight-color", { "aria-hidden": "true" }), field);
  };
  const sources = Array.from({ length: kernel.sources }, (_, i) => [String(i), `channel ${i}`]);
  const choose = (value) => {
    state.source = Number(value);
    load(state, { body, result, compute });
  };
  fill(
    body,
    h("p.small", {}, `${layerLabel(layer)}, filter ${channel}${kernel.sources > 1 ? `, on channel ${kernel.source} of its input` : ""}`),
    h("div.kernel", { style: { "--columns": kernel.weights[0].length } }, kernel.weights.map((row, i) => row.map((_, j) => cell(i, j)))),
    h(
      "div.row.form",
      {},
      kernel.sources > 1 ? selectField("Input", sources, String(kernel.source), choose) : null,
      Object.entries(KERNEL_CHANGES).map(([name, make]) =>
        h("button", { type: "button", on: { click: () => change(make(state.weights)) } }, name),
      ),
      h("button", { type: "button", on: { click: () => change(kernel.weights.map((row) => [...row])) } }, "Trained weights"),
    ),
  );
  colorWeights(body, state);
}

function colorWeights(body, { weights, kernel }) {
  if (!kernel) return;
  const limit = Math.max(maxAbs(kernel.weights.flat()), maxAbs(weights.flat()));
  body.querySelectorAll(".kernel .weight-color").forEach((mark, i) => {
    mark.style.background = valueColor(weights.flat()[i], limit);
  });
}

async function showResult(state, result) {
  try {
    const after = await experiment(state, state.weights);
    const { before } = state;
    const limit = Math.max(maxAbs(before.map.values), maxAbs(after.map.values));
    const figure = (caption, map) => h("figure", {}, mapCanvas(map, limit), h("figcaption.small.muted", {}, caption));
    fill(
      result,
      h("div.two-maps", {}, figure("map with the trained weights", before.map), figure("map with yours", after.map)),
      answerChange(before, after),
    );
  } catch (error) {
    fill(result, errorMessage(error));
  }
}
