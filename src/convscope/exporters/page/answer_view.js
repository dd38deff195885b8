/** The answer: the class, bars of probabilities, numbers, or shares of a mask. */

import { classOfPixels } from "./answers.js";
import { byId, h, perCent } from "./dom.js";
import { classColor } from "./paint.js";

const MOST_BARS = 8;
const MOST_MASK_PIXELS = 2 ** 20;

/**
 * Show an answer.
 * @param {object} facts of the page
 * @param {object} found from `answer`
 * @param {number} chosen the output whose heat map is shown
 * @param {(k: number) => void} choose called when the user chooses another output
 */
export function showAnswer(facts, found, chosen, choose) {
  const { answers } = found;
  const [headline, note] = headlineOf(facts, found);
  byId("headline").textContent = headline;
  byId("note").textContent = note;
  const rows = answers.mask ? maskRows(facts, found) : outputRows(facts, answers, chosen, choose);
  byId("bars").replaceChildren(...rows);
}

/** The output that the heat map explains at first. */
export function mainOutput({ answers }) {
  const values = answers.probabilities?.data ?? [1];
  return values.indexOf(Math.max(...values));
}

function headlineOf(facts, { answers, shares }) {
  if (answers.mask) {
    const found = shares.map((share, k) => [share, k]).filter(([share, k]) => share > 0 && !(facts.firstIsBackground && k === 0));
    found.sort((a, b) => b[0] - a[0]);
    return [found.length ? facts.names[found[0][1]] : `only ${facts.names[0]}`, "share of the picture's pixels"];
  }
  if (answers.values) return [facts.names.length === 1 ? number(answers.values.data[0]) : "Numbers", facts.names.length === 1 ? facts.names[0] : ""];
  const probabilities = [...answers.probabilities.data];
  if (answers.labels) {
    const reached = facts.names.filter((_, k) => answers.labels.data[k] === 1);
    return [reached.join(", ") || "No label", reached.length ? "labels that reach their threshold" : "none reaches its threshold"];
  }
  const best = mainOutput({ answers });
  return [facts.names[best], `with a probability of ${perCent(probabilities[best])}`];
}

function outputRows(facts, { probabilities, labels, values }, chosen, choose) {
  if (values) {
    const most = Math.max(...values.data.map(Math.abs), 1e-12);
    return [...values.data].map((value, k) => row(facts.names[k], number(value), Math.abs(value) / most, value, { chosen: k === chosen, choose: () => choose(k) }));
  }
  const order = [...probabilities.data.keys()].sort((a, b) => probabilities.data[b] - probabilities.data[a]);
  return order.slice(0, MOST_BARS).map((k) =>
    row(facts.names[k], perCent(probabilities.data[k]), probabilities.data[k], probabilities.data[k], {
      chosen: k === chosen,
      reached: labels ? labels.data[k] === 1 : false,
      choose: () => choose(k),
    }),
  );
}

function maskRows(facts, { shares }) {
  const order = [...shares.keys()].sort((a, b) => shares[b] - shares[a]);
  return order.slice(0, MOST_BARS).map((k) =>
    row(facts.names[k], perCent(shares[k]), shares[k], shares[k], { color: classColor(k, facts.firstIsBackground) ?? "var(--border-strong)" }),
  );
}

function row(name, text, share, value, { chosen = false, reached = false, color = null, choose = null }) {
  const bar = h("span.bar", { style: `--share:${Math.max(0.002, share)}${color ? `;--bar:${color}` : ""}` });
  const label = h("span.name", {}, name, reached ? h("span.tick", { title: "reaches its threshold" }, " \u2713") : null);
  const parts = [label, h("span.figure", {}, text), bar];
  const attributes = { "data-name": name, "data-value": value, "aria-pressed": choose ? String(chosen) : null };
  if (!choose) return h("li", {}, h("div.output", attributes, ...parts));
  const title = `Show where the network looks for ${name}`;
  return h("li", {}, h("button.output", { ...attributes, type: "button", title, onclick: choose }, ...parts));
}

function number(value) {
  return Number(value.toPrecision(4)).toString();
}

/** Add the mask at the picture's size, or smaller if that is large, and the share of each class. */
export function withMask(facts, found) {
  if (!found.answers.mask) return found;
  const scale = Math.min(1, Math.sqrt(MOST_MASK_PIXELS / (found.whole[0] * found.whole[1])));
  const shape = found.whole.map((side) => Math.max(1, Math.round(side * scale)));
  const classes = classOfPixels(found.answers.mask, facts, found, shape);
  const shares = new Array(facts.names.length).fill(0);
  for (const k of classes) shares[k] += 1 / classes.length;
  return { ...found, mask: { classes, shape }, shares };
}
