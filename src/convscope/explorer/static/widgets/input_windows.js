/**
 * What a unit looked at: for the channels that told most, the window's values, the kernel's weights and their
 * products.
 */

import { colour, largest } from "../lib/color_scale.js";
import { figure, signed } from "../lib/numbers.js";
import { h, s } from "../lib/dom.js";

const SHOWN = 6;

/**
 * One channel's part of a sum.
 * @typedef {{channel: number, sum: number, terms: any[]}} Part
 */

/**
 * The terms by channel, those first that told most.
 * @param {{terms: any[]}} step
 * @returns {Part[]}
 */
export function parts(step) {
  const found = new Map();
  for (const term of step.terms) {
    if (!found.has(term.channel)) found.set(term.channel, { channel: term.channel, sum: 0, terms: [] });
    const part = found.get(term.channel);
    part.sum += term.product;
    part.terms.push(term);
  }
  return [...found.values()].sort((a, b) => Math.abs(b.sum) - Math.abs(a.sum));
}

/**
 * The window's size in cells.
 * @param {{rows: number[], columns: number[], step: number[]}} window
 * @returns {[number, number]} rows and columns
 */
export function cells({ rows, columns, step }) {
  return [Math.ceil((rows[1] - rows[0]) / step[0]), Math.ceil((columns[1] - columns[0]) / step[1])];
}

/**
 * The drawing: a line for each of the strongest channels.
 * @param {any} step a mixing step with a window of more than one place
 * @param {(term: any | null) => void} onOver the term that the pointer is on
 * @returns {HTMLElement | null} null where there is no window to draw
 */
export function windows(step, onOver) {
  const { window: seen } = step;
  if (!seen || !step.terms.length) return null;
  const size = cells(seen);
  if (size[0] * size[1] === 1 || size[0] * size[1] > 170) return null;
  const some = parts(step);
  const weighs = step.op !== "max pool";
  const scales = weighs
    ? {
        value: largest(step.terms.map((term) => term.value)),
        weight: largest(step.terms.map((term) => term.weight)),
        product: largest(step.terms.map((term) => term.product)),
      }
    : { value: largest(step.terms.map((term) => term.value)) };
  const line = (part) =>
    h(
      "div.window",
      {},
      h("span.from", {}, some.length > 1 || seen.layer !== "input" ? `channel ${part.channel}` : "picture"),
      Object.keys(scales).map((what, i) => [
        i ? h("span.sign", {}, i === 1 ? "×" : "=") : null,
        grid(part, what, scales[what], step, size, onOver),
      ]),
      weighs ? h("span.sum", { class: part.sum < 0 ? "sum cool" : "sum warm" }, signed(part.sum)) : null,
    );
  const folded = some.length - SHOWN;
  return h(
    "div.windows",
    {},
    h(
      "div.window.names",
      { "aria-hidden": "true" },
      h("span"),
      weighs
        ? [
            h("span", {}, "values"),
            h("span"),
            h("span", {}, "weights"),
            h("span"),
            h("span", {}, "products"),
            h("span.sum", {}, "sum"),
          ]
        : h("span", {}, "values"),
    ),
    some.slice(0, SHOWN).map(line),
    folded > 0
      ? h("p.soft.small", {}, `and ${folded} more ${folded === 1 ? "channel" : "channels"} with smaller sums`)
      : null,
  );
}

function grid(part, what, scale, step, [rows, columns], onOver) {
  const seen = step.window;
  const cell = (term) => {
    const row = (term.row - seen.rows[0]) / seen.step[0];
    const column = (term.column - seen.columns[0]) / seen.step[1];
    return s(
      "rect",
      {
        x: column,
        y: row,
        width: 1,
        height: 1,
        fill: colour(term[what], scale),
        class: term.chosen && step.op === "max pool" ? "won" : null,
        on: { pointerenter: () => onOver(term), pointerleave: () => onOver(null) },
      },
      s("title", {}, `${term.padded ? "border, " : ""}row ${term.row}, column ${term.column}: ${figure(term[what])}`),
    );
  };
  const text = `${what === "value" ? "Values" : what === "weight" ? "Weights" : "Products"} of channel ${part.channel}`;
  return s(
    "svg.cells",
    { viewBox: `0 0 ${columns} ${rows}`, role: "img", "aria-label": text },
    s("rect.folded", { x: 0, y: 0, width: columns, height: rows }),
    part.terms.map(cell),
  );
}
