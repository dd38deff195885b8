/**
 * The computation of a unit: its products (the smaller ones collapsed), the bias, then the elementwise operations.
 */

import { activationCurve } from "../lib/activation_curves.js";
import { formatCount, formatNumber, linearScale, formatSigned } from "../lib/numbers.js";
import { h, s } from "../lib/dom.js";
import { linePath } from "./line_chart.js";
import { layerLabel } from "../lib/network_tree.js";

const SHOWN_TERMS = 14;
const OP_LABELS = {
  "max pool": "the maximum",
  "average pool": "the average",
  "global average": "the average of the whole map",
};

/**
 * The list of terms.
 * @param {any} unit the response of `/unit`
 * @param {(term: any) => string | null} link the route to a term's own computation
 * @returns {HTMLElement}
 */
export function unitTerms(unit, link) {
  return h(
    "div.unit-terms",
    { "data-value": unit.value },
    unit.steps.map((step) => (combinesTerms(step) ? sumStep(step, link) : elementwiseStep(step))),
    h("div.entry.total", {}, h("span", {}, "value of the unit"), h("output", {}, formatNumber(unit.value))),
  );
}

/**
 * Whether a step combines several terms (sum or pool), rather than changing one number.
 * @param {{op: string, terms: any[]}} step
 * @returns {boolean}
 */
export function combinesTerms(step) {
  return !["norm", "local response norm", "activation", "pass", "other"].includes(step.op);
}

/**
 * The terms to show, and those to collapse.
 * @param {any} step
 * @param {number} shown
 * @returns {{terms: any[], folded: any[], rest: number, restSum: number}} folded: sent by the server but
 *   collapsed at first; rest and restSum include them
 */
export function foldTerms(step, shown) {
  const terms = step.terms.slice(0, shown);
  const folded = step.terms.slice(shown);
  return {
    terms,
    folded,
    rest: step.count - terms.length,
    restSum: folded.reduce((total, term) => total + term.product, step.rest.sum),
  };
}

/**
 * Highlight the entry of a term.
 * @param {HTMLElement} element from `unitTerms`
 * @param {any | null} term
 */
export function highlightTerm(element, term) {
  for (const line of element.querySelectorAll(".term"))
    line.classList.toggle("highlighted", term !== null && line.dataset.at === termKey(term));
}

function sumStep(step, link) {
  const { terms, folded, rest, restSum } = foldTerms(step, SHOWN_TERMS);
  const largest = Math.abs(terms[0]?.product ?? 1);
  const show = (term) => termLine(step, term, largest, link);
  const smaller = folded.length
    ? h(
        "details",
        {},
        h(
          "summary.entry",
          {},
          h("span", {}, `${formatCount(rest, "smaller term")}`),
          h("output", {}, isPool(step) ? "" : formatSigned(restSum)),
        ),
        h("ol", {}, folded.map(show)),
      )
    : rest > 0
      ? h(
          "div.entry",
          {},
          h("span", {}, `${formatCount(rest, "smaller term")}`),
          h("output", {}, formatSigned(restSum)),
        )
      : null;
  return h(
    "section.step",
    { "data-op": step.op, "data-value": step.value, "data-rest": step.rest.sum, "data-bias": step.bias ?? 0 },
    stepTitle(step, OP_LABELS[step.op] ?? step.description),
    h("ol", {}, terms.map(show)),
    smaller,
    step.padding
      ? h(
          "div.entry.muted",
          {},
          h("span", {}, `${formatCount(step.padding, "position")} of zero padding`),
          h("output", {}, "0"),
        )
      : null,
    step.bias === null || step.bias === undefined
      ? null
      : h("div.entry", {}, h("span", {}, "bias"), h("output", {}, formatSigned(step.bias))),
    h(
      "div.entry.result",
      {},
      h("span", {}, isPool(step) ? "result" : "sum"),
      h("output", { title: precisionNote(step) }, formatNumber(step.value)),
    ),
  );
}

function termLine(step, term, largest, link) {
  const href = term.padded ? null : link(term);
  const position = termPosition(term, step);
  const named = href
    ? h("a", { href, title: "Show how this value was computed" }, position)
    : h("span", {}, term.padded ? "padding" : position);
  const fraction = Math.min(1, Math.abs(term.product) / (largest || 1));
  const unweighted = step.op === "add" || step.op === "concatenate";
  const factors = unweighted
    ? null
    : h(
        "span.factors",
        {},
        isPool(step) ? (term.chosen ? "max" : "") : `${formatNumber(term.value)} × ${formatNumber(term.weight)}`,
      );
  return h(
    "li",
    {
      class: `entry term${unweighted ? " unweighted" : ""}${term.chosen && isPool(step) ? " maximum" : ""}`,
      "data-at": termKey(term),
      "data-product": term.product,
      "data-term": `${term.value} ${term.weight}`,
    },
    named,
    factors,
    h("i", {
      class: term.product < 0 ? "negative" : "positive",
      "aria-hidden": "true",
      style: { "--fraction": fraction },
    }),
    h("output", {}, isPool(step) ? formatNumber(term.value) : formatSigned(term.product)),
  );
}

function termPosition(term, step) {
  const manyChannels = step.terms.some((other) => other.channel !== term.channel);
  const manyPositions = step.terms.some((other) => other.row !== term.row || other.column !== term.column);
  const manyLayers = step.terms.some((other) => other.layer !== term.layer);
  const isVector = step.op === "fully connected" && !manyPositions;
  return [
    manyLayers ? layerLabel(term.layer || "before") : "",
    isVector ? `unit ${term.channel}` : manyChannels || !manyPositions ? `channel ${term.channel}` : "",
    isVector ? "" : `${term.row}, ${term.column}`,
  ]
    .filter(Boolean)
    .join(" · ");
}

function elementwiseStep(step) {
  const { parameters = {} } = step;
  const input = parameters.input ?? step.terms[0]?.value;
  const formula =
    {
      norm: () =>
        `${formatNumber(input)} × ${formatNumber(parameters.scale)} ${formatSigned(parameters.shift).replace(/^([+−])/, "$1 ")}`,
      activation: () => `${parameters.name}(${formatNumber(input)})`,
      "local response norm": () => `${formatNumber(input)} ÷ ${formatNumber(parameters.divisor)}`,
    }[step.op]?.() ??
    parameters.why ??
    parameters.name ??
    step.description;
  return h(
    "section.step.elementwise",
    { "data-op": step.op, "data-value": step.value },
    h(
      "div.entry",
      {},
      h("span", {}, h("b", {}, step.op === "activation" ? "activation" : step.op), " ", h("span.muted", {}, formula)),
      h("output", {}, formatNumber(step.value)),
    ),
    step.op === "norm"
      ? h(
          "p.muted.small.norm-formula",
          {},
          `${parameters.kind} norm: ${normFormula(parameters)}`,
        )
      : null,
    step.op === "activation" ? curvePlot(parameters.name, input, step.value) : null,
  );
}

/** A norm with all its numbers, to six digits, so that the value can be recomputed. */
function normFormula({ input, mean, variance, epsilon, weight, bias }) {
  const [x, m, v, e, w, b] = [input, mean, variance, epsilon, weight, bias].map((one) => String(Number(one.toPrecision(6))));
  return `(${x} − mean ${m}) ÷ √(variance ${v} + ε ${e}) × γ ${w} + β ${b}`;
}

function curvePlot(name, input, value) {
  const reach = Math.max(3, Math.abs(input) * 1.15);
  const points = activationCurve(name, reach);
  if (!points.length) return null;
  const values = points.map(([, y]) => y).concat(value);
  const x = linearScale([-reach, reach], [4, 156]);
  const y = linearScale([Math.min(...values, 0), Math.max(...values, 0.5)], [56, 6]);
  return s(
    "svg.activation-plot",
    {
      viewBox: "0 0 160 62",
      role: "img",
      "aria-label": `${name} maps ${formatNumber(input)} to ${formatNumber(value)}`,
    },
    s("path.axis", { d: `M4 ${y(0)}H156M${x(0)} 4V58` }),
    s("path.curve", { d: linePath(points, x, y) }),
    s("path.value-lines", { d: `M${x(input)} ${y(0)}V${y(value)}H${x(0)}` }),
    s("circle", { cx: x(input), cy: y(value), r: 3.5 }),
  );
}

function stepTitle(step, description) {
  return h("h3", {}, step.op, description && description !== step.op ? h("span.muted", {}, ` · ${description}`) : null);
}

function precisionNote(step) {
  return `The network computed ${step.value}; the terms sum to ${step.sum} in float64. The float32 rounding error is at most ${step.bound}.`;
}

function isPool(step) {
  return step.op === "max pool" || step.op === "unpool";
}

function termKey(term) {
  return `${term.layer} ${term.channel} ${term.row} ${term.column}`;
}
