/** Exercise: guess the value at another position of the map from its input window, then see it. */

import { getJson } from "../lib/api.js";
import { fill, h } from "../lib/dom.js";
import { fetchMaps } from "../lib/feature_maps.js";
import { formatNumber, formatPercent, formatSigned } from "../lib/numbers.js";
import { formatRoute } from "../lib/router.js";
import { session } from "../lib/session.js";
import { errorMessage } from "./error_message.js";
import { inputWindows } from "./input_windows.js";
import { combinesTerms } from "./unit_terms.js";

const CLOSE = 0.1; // of the map's range
const MAX_TERMS = 512;

/**
 * What is said about a guess.
 * @param {number} guess
 * @param {number} value
 * @param {{low: number, high: number}} map its range
 * @param {number} sum what the window sums to, before norm and activation
 * @returns {{close: boolean, text: string}}
 */
export function judge(guess, value, { low, high }, sum) {
  const off = Math.abs(guess - value);
  const share = off / (high - low || 1);
  const distance = `off by ${formatNumber(off)}, ${formatPercent(share)} of the map's range`;
  if (share <= CLOSE) return { close: true, text: `Close: ${distance}.` };
  if (value === 0 && sum < 0)
    return { close: false, text: `The sum is negative, ${formatNumber(sum)}, and the activation makes it 0; ${distance}.` };
  if (guess * value < 0)
    return { close: false, text: `The other sign: warm values times warm weights add, warm times cool subtract; ${distance}.` };
  return { close: false, text: `Too ${Math.abs(guess) > Math.abs(value) ? "large" : "small"}: ${distance}.` };
}

/**
 * The exercise.
 * @returns {{element: HTMLElement, show: (params: any, hasWindow: boolean) => void}}
 */
export function tryGuess() {
  const state = { params: {}, map: null, unit: null, done: 0, close: 0 };
  const body = h("div.stack.compact");
  const score = h("span.muted.small");
  const next = h("button", { type: "button", on: { click: () => ask(state, { body, score, next }) } }, "Ask me");
  const element = h(
    "section.card.stack.compact.try-it.try-guess",
    {},
    h("div.row.space-between", {}, h("h2", {}, "Try it: guess a value"), score),
    h("p.muted", {}, "You get the values and the weights of another position of this map; point at a cell for its number. How large is the result?"),
    body,
    h("div.row", {}, next),
  );
  return {
    element,
    show: (params, hasWindow) => {
      element.hidden = !hasWindow;
      if (state.params.layer === params.layer && state.params.channel === params.channel && state.params.image === params.image) return;
      state.params = params;
      fill(body);
      next.textContent = "Ask me";
    },
  };
}

async function ask(state, parts) {
  const { image, layer, channel } = state.params;
  parts.next.disabled = true;
  try {
    const options = { from: channel, to: channel + 1, values: "float", network: session.run.network };
    [state.map] = (await fetchMaps(image, layer, options)).maps;
    const [row, column] = randomPosition(state.map);
    state.unit = await getJson(`inputs/${encodeURIComponent(image)}/unit`, { layer, channel, row, column, most: MAX_TERMS });
    showQuestion(state, parts);
  } catch (error) {
    fill(parts.body, errorMessage(error));
  }
  parts.next.disabled = false;
}

/** Half of the questions ask for one of the strongest tenth of the values: most of a map is often zero. */
function randomPosition({ values, width }) {
  let index = Math.floor(Math.random() * values.length);
  if (Math.random() < 0.5) {
    const order = [...values.keys()].sort((a, b) => Math.abs(values[b]) - Math.abs(values[a]));
    index = order[Math.floor((Math.random() * values.length) / 10)];
  }
  return [Math.floor(index / width), index % width];
}

/** A step after the sum, in words; "" for others. */
function laterStep({ op, parameters }) {
  if (op === "norm") return `a norm (× ${formatNumber(parameters.scale)} ${formatSigned(parameters.shift)})`;
  return op === "activation" ? parameters.name : "";
}

function showQuestion(state, { body, score, next }) {
  const { unit, map } = state;
  const step = unit.steps.find(combinesTerms);
  const windows = h("div.unanswered", {}, inputWindows(step, () => undefined));
  const feedback = h("p", { "aria-live": "polite" });
  const guess = h("input", { type: "number", step: "any", required: true, "aria-label": "Your guess" });
  const answer = (event) => {
    event.preventDefault();
    const { close, text } = judge(Number(guess.value), unit.value, map, step.value);
    state.done += 1;
    state.close += close ? 1 : 0;
    windows.classList.remove("unanswered");
    const { image, layer, channel } = state.params;
    const href = formatRoute("unit", { image, layer, channel, row: unit.row, column: unit.column });
    fill(feedback, h("b", {}, `It is ${formatNumber(unit.value)}. `), text, " ", h("a", { href }, "See how it is computed"));
    feedback.className = close ? "success" : "";
    score.textContent = `${state.close} of ${state.done} close`;
    form.querySelector("button").disabled = true;
    guess.disabled = true;
  };
  const bias = step.bias === null || step.bias === undefined ? "" : ` The bias is ${formatNumber(step.bias)}.`;
  const after = unit.steps.map(laterStep).filter(Boolean).join(", then ");
  const form = h(
    "form.row.form",
    { on: { submit: answer } },
    h("label.field", {}, `Row ${unit.row}, column ${unit.column}: your guess`, guess),
    h("button.primary", { type: "submit" }, "Show the value"),
  );
  fill(
    body,
    windows,
    h("p.small.muted", {}, `The map goes from ${formatNumber(map.low)} to ${formatNumber(map.high)}.${bias}${after && ` The sum goes through ${after}.`}`),
    form,
    feedback,
  );
  next.textContent = "Another one";
}
