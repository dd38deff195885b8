/**
 * The input window of a unit: for the channels with the largest sums, the input values, the kernel weights and their
 * products.
 */

import { valueColor, maxAbs } from "../lib/color_scale.js";
import { formatNumber, formatSigned } from "../lib/numbers.js";
import { h, s } from "../lib/dom.js";

const SHOWN_CHANNELS = 6;

/**
 * The terms of one channel.
 * @typedef {{channel: number, sum: number, terms: any[]}} ChannelTerms
 */

/**
 * The terms grouped by channel, the largest absolute sum first.
 * @param {{terms: any[]}} step
 * @returns {ChannelTerms[]}
 */
export function termsByChannel(step) {
  const found = new Map();
  for (const term of step.terms) {
    if (!found.has(term.channel)) found.set(term.channel, { channel: term.channel, sum: 0, terms: [] });
    const channelTerms = found.get(term.channel);
    channelTerms.sum += term.product;
    channelTerms.terms.push(term);
  }
  return [...found.values()].sort((a, b) => Math.abs(b.sum) - Math.abs(a.sum));
}

/**
 * The window's size in cells.
 * @param {{rows: number[], columns: number[], step: number[]}} window
 * @returns {[number, number]} rows and columns
 */
export function windowShape({ rows, columns, step }) {
  return [Math.ceil((rows[1] - rows[0]) / step[0]), Math.ceil((columns[1] - columns[0]) / step[1])];
}

/**
 * The drawing: a row for each of the strongest channels.
 * @param {any} step a step that combines terms from a window of more than one position
 * @param {(term: any | null) => void} onOver the term under the pointer
 * @returns {HTMLElement | null} null if there is no window to draw
 */
export function inputWindows(step, onOver) {
  const { window: inputWindow } = step;
  if (!inputWindow || !step.terms.length) return null;
  const size = windowShape(inputWindow);
  if (size[0] * size[1] === 1 || size[0] * size[1] > 170) return null;
  const channels = termsByChannel(step);
  const isWeighted = step.op !== "max pool";
  const scales = isWeighted
    ? {
        value: maxAbs(step.terms.map((term) => term.value)),
        weight: maxAbs(step.terms.map((term) => term.weight)),
        product: maxAbs(step.terms.map((term) => term.product)),
      }
    : { value: maxAbs(step.terms.map((term) => term.value)) };
  const line = (channelTerms) =>
    h(
      "div.input-window",
      {},
      h(
        "span.from",
        {},
        channels.length > 1 || inputWindow.layer !== "input" ? `channel ${channelTerms.channel}` : "image",
      ),
      Object.keys(scales).map((quantity, i) => [
        i ? h("span.operator", {}, i === 1 ? "×" : "=") : null,
        cellGrid(channelTerms, quantity, scales[quantity], step, size, onOver),
      ]),
      isWeighted
        ? h(
            "span.sum",
            { class: channelTerms.sum < 0 ? "sum negative" : "sum positive" },
            formatSigned(channelTerms.sum),
          )
        : null,
    );
  const hidden = channels.length - SHOWN_CHANNELS;
  return h(
    "div.input-windows",
    {},
    h(
      "div.input-window.header",
      { "aria-hidden": "true" },
      h("span"),
      isWeighted
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
    channels.slice(0, SHOWN_CHANNELS).map(line),
    hidden > 0
      ? h("p.muted.small", {}, `and ${hidden} more ${hidden === 1 ? "channel" : "channels"} with smaller sums`)
      : null,
  );
}

function cellGrid(channelTerms, quantity, scale, step, [rows, columns], onOver) {
  const inputWindow = step.window;
  const cell = (term) => {
    const row = (term.row - inputWindow.rows[0]) / inputWindow.step[0];
    const column = (term.column - inputWindow.columns[0]) / inputWindow.step[1];
    return s(
      "rect",
      {
        x: column,
        y: row,
        width: 1,
        height: 1,
        fill: valueColor(term[quantity], scale),
        class: term.chosen && step.op === "max pool" ? "maximum" : null,
        on: { pointerenter: () => onOver(term), pointerleave: () => onOver(null) },
      },
      s(
        "title",
        {},
        `${term.padded ? "padding, " : ""}row ${term.row}, column ${term.column}: ${formatNumber(term[quantity])}`,
      ),
    );
  };
  const text = `${quantity === "value" ? "Values" : quantity === "weight" ? "Weights" : "Products"} of channel ${channelTerms.channel}`;
  return s(
    "svg.cells",
    { viewBox: `0 0 ${columns} ${rows}`, role: "img", "aria-label": text },
    s("rect.hidden-terms", { x: 0, y: 0, width: columns, height: rows }),
    channelTerms.terms.map(cell),
  );
}
