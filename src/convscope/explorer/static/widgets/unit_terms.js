/**
 * The arithmetic of a unit as a receipt: every product, the rest folded, the bias, then what follows place by place.
 */

import { curve } from "../lib/activation_curves.js";
import { count, figure, linear, signed } from "../lib/numbers.js";
import { h, s } from "../lib/dom.js";
import { path } from "./line_chart.js";
import { spoken } from "../lib/network_tree.js";

const SHOWN = 14;
const WORDS = {
  "max pool": "the largest wins",
  "average pool": "the average",
  "global average": "the average of the whole map",
};

/**
 * The receipt.
 * @param {any} unit the answer of `/unit`
 * @param {(term: any) => string | null} link the address of a term's own arithmetic
 * @returns {HTMLElement}
 */
export function receipt(unit, link) {
  return h(
    "div.receipt",
    { "data-value": unit.value },
    unit.steps.map((step) => (mixes(step) ? sum(step, link) : place(step))),
    h("div.line.total", {}, h("span", {}, "the unit’s value"), h("output", {}, figure(unit.value))),
  );
}

/**
 * Whether a step adds terms up, rather than changing one number.
 * @param {{op: string, terms: any[]}} step
 * @returns {boolean}
 */
export function mixes(step) {
  return !["norm", "local response norm", "activation", "pass", "other"].includes(step.op);
}

/**
 * The terms to show, and what is folded.
 * @param {any} step
 * @param {number} shown
 * @returns {{terms: any[], folded: any[], rest: number, restSum: number}} folded: told by the server but not shown at
 *   first; rest and restSum
 *   count those too
 */
export function fold(step, shown) {
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
 * Mark the line of a term.
 * @param {HTMLElement} element the receipt
 * @param {any | null} term
 */
export function point(element, term) {
  for (const line of element.querySelectorAll(".term"))
    line.classList.toggle("over", term !== null && line.dataset.at === at(term));
}

function sum(step, link) {
  const { terms, folded, rest, restSum } = fold(step, SHOWN);
  const most = Math.abs(terms[0]?.product ?? 1);
  const show = (term) => line(step, term, most, link);
  const more = folded.length
    ? h(
        "details",
        {},
        h(
          "summary.line",
          {},
          h("span", {}, `${count(rest, "smaller one")} together`),
          h("output", {}, pool(step) ? "" : signed(restSum)),
        ),
        h("ol", {}, folded.map(show)),
      )
    : rest > 0
      ? h("div.line", {}, h("span", {}, `${count(rest, "smaller one")} together`), h("output", {}, signed(restSum)))
      : null;
  return h(
    "section.step",
    { "data-op": step.op, "data-value": step.value, "data-rest": step.rest.sum, "data-bias": step.bias ?? 0 },
    title(step, WORDS[step.op] ?? step.says),
    h("ol", {}, terms.map(show)),
    more,
    step.padding
      ? h(
          "div.line.soft",
          {},
          h("span", {}, `${count(step.padding, "place")} of the border, nothing there`),
          h("output", {}, "0"),
        )
      : null,
    step.bias === null || step.bias === undefined
      ? null
      : h("div.line", {}, h("span", {}, "bias"), h("output", {}, signed(step.bias))),
    h(
      "div.line.result",
      {},
      h("span", {}, pool(step) ? "result" : "sum"),
      h("output", { title: checked(step) }, figure(step.value)),
    ),
  );
}

function line(step, term, most, link) {
  const href = term.padded ? null : link(term);
  const where = whence(term, step);
  const named = href
    ? h("a", { href, title: "See how this value was made" }, where)
    : h("span", {}, term.padded ? "border" : where);
  const share = Math.min(1, Math.abs(term.product) / (most || 1));
  const whole = step.op === "add" || step.op === "concatenate";
  const factors = whole
    ? null
    : h("span.factors", {}, pool(step) ? (term.chosen ? "won" : "") : `${figure(term.value)} × ${figure(term.weight)}`);
  return h(
    "li",
    {
      class: `line term${whole ? " whole" : ""}${term.chosen && pool(step) ? " won" : ""}`,
      "data-at": at(term),
      "data-product": term.product,
      "data-term": `${term.value} ${term.weight}`,
    },
    named,
    factors,
    h("i", { class: term.product < 0 ? "cool" : "warm", "aria-hidden": "true", style: { "--much": share } }),
    h("output", {}, pool(step) ? figure(term.value) : signed(term.product)),
  );
}

function whence(term, step) {
  const many = step.terms.some((other) => other.channel !== term.channel);
  const spread = step.terms.some((other) => other.row !== term.row || other.column !== term.column);
  const layers = step.terms.some((other) => other.layer !== term.layer);
  const flat = step.op === "fully connected" && !spread;
  return [
    layers ? spoken(term.layer || "before") : "",
    flat ? `unit ${term.channel}` : many || !spread ? `channel ${term.channel}` : "",
    flat ? "" : `${term.row}, ${term.column}`,
  ]
    .filter(Boolean)
    .join(" · ");
}

function place(step) {
  const { parameters = {} } = step;
  const input = parameters.input ?? step.terms[0]?.value;
  const how =
    {
      norm: () =>
        `${figure(input)} × ${figure(parameters.scale)} ${signed(parameters.shift).replace(/^([+−])/, "$1 ")}`,
      activation: () => `${parameters.name}(${figure(input)})`,
      "local response norm": () => `${figure(input)} ÷ ${figure(parameters.divisor)}`,
    }[step.op]?.() ??
    parameters.why ??
    parameters.name ??
    step.says;
  return h(
    "section.step.place",
    { "data-op": step.op, "data-value": step.value },
    h(
      "div.line",
      {},
      h("span", {}, h("b", {}, step.op === "activation" ? "activation" : step.op), " ", h("span.soft", {}, how)),
      h("output", {}, figure(step.value)),
    ),
    step.op === "norm"
      ? h(
          "p.soft.small",
          {},
          `${parameters.kind} norm: mean ${figure(parameters.mean)}, variance ${figure(parameters.variance)}`,
        )
      : null,
    step.op === "activation" ? bend(parameters.name, input, step.value) : null,
  );
}

function bend(name, input, value) {
  const reach = Math.max(3, Math.abs(input) * 1.15);
  const points = curve(name, reach);
  if (!points.length) return null;
  const values = points.map(([, y]) => y).concat(value);
  const x = linear([-reach, reach], [4, 156]);
  const y = linear([Math.min(...values, 0), Math.max(...values, 0.5)], [56, 6]);
  return s(
    "svg.bend",
    { viewBox: "0 0 160 62", role: "img", "aria-label": `${name} turns ${figure(input)} into ${figure(value)}` },
    s("path.axis", { d: `M4 ${y(0)}H156M${x(0)} 4V58` }),
    s("path.curve", { d: path(points, x, y) }),
    s("path.drop", { d: `M${x(input)} ${y(0)}V${y(value)}H${x(0)}` }),
    s("circle", { cx: x(input), cy: y(value), r: 3.5 }),
  );
}

function title(step, says) {
  return h("h3", {}, step.op, says && says !== step.op ? h("span.soft", {}, ` · ${says}`) : null);
}

function checked(step) {
  return `The network computed ${step.value}; the terms add up to ${step.sum} in double precision. float32 rounds by at most ${step.bound}.`;
}

function pool(step) {
  return step.op === "max pool" || step.op === "unpool";
}

function at(term) {
  return `${term.layer} ${term.channel} ${term.row} ${term.column}`;
}
