/** The confusion matrix as a table of buttons: a row is what an image is, a column what it was called. */

import { count } from "../lib/numbers.js";
import { h } from "../lib/dom.js";
import { roving } from "../lib/grid_keys.js";

const LARGEST = 40; // classes; a table of more has too many cells to be read
const LISTED = 60;

/**
 * The table; of many classes, a list of what is taken for what most often.
 * @param {string[]} classes
 * @param {number[][]} counts rows are truth
 * @param {{chosen?: [number, number] | null, onPick?: (truth: number, answer: number) => void}} [how]
 * @returns {HTMLElement}
 */
export function matrix(classes, counts, { chosen = null, onPick } = {}) {
  if (classes.length > LARGEST) return worst(classes, counts, { chosen, onPick });
  const shade = shades(counts);
  const cell = (truth, answer) => {
    const here = chosen && chosen[0] === truth && chosen[1] === answer;
    const named = `${count(counts[truth][answer], "image")}: is ${classes[truth]}, called ${classes[answer]}`;
    const button = cellButton(counts[truth][answer], named, truth === answer, shade(truth, answer), Boolean(here));
    if (onPick) button.addEventListener("click", () => onPick(truth, answer));
    return h("td", {}, button);
  };
  const table = h(
    "table.matrix",
    {},
    h("caption.heard", {}, "Confusion matrix: rows are what the image is, columns what it was called"),
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        h("td", { "aria-hidden": "true" }, h("span.corner", {}, "is ↓  called →")),
        classes.map((name) => h("th", { scope: "col" }, h("span", {}, name))),
      ),
    ),
    h(
      "tbody",
      {},
      classes.map((name, truth) =>
        h(
          "tr",
          {},
          h("th", { scope: "row" }, name),
          classes.map((_, answer) => cell(truth, answer)),
        ),
      ),
    ),
  );
  return roving(table, "button.cell");
}

function worst(classes, counts, { chosen, onPick }) {
  const pairs = confused(counts).slice(0, LISTED);
  const line = ([truth, answer, number]) => {
    const here = chosen && chosen[0] === truth && chosen[1] === answer;
    const said = `${classes[truth]}, called ${classes[answer]}`;
    const button = h("button", { type: "button", "aria-pressed": String(Boolean(here)) }, h("b", {}, number), said);
    if (onPick) button.addEventListener("click", () => onPick(truth, answer));
    return button;
  };
  return roving(
    h("div.stack.close", { role: "group", "aria-label": "What is taken for what, most often first" }, pairs.map(line)),
  );
}

/**
 * What is taken for what, the commonest first.
 * @param {number[][]} counts rows are truth
 * @returns {[number, number, number][]} truth, answer, how often
 */
export function confused(counts) {
  const pairs = counts.flatMap((row, truth) => row.map((number, answer) => [truth, answer, number]));
  return pairs.filter(([truth, answer, number]) => truth !== answer && number > 0).sort((a, b) => b[2] - a[2]);
}

function cellButton(number, name, right, much, chosen) {
  const kinds = ["cell", right ? "right" : "wrong", number ? "" : "none", much > (right ? 0.62 : 0.85) ? "deep" : ""];
  const how = { class: kinds.filter(Boolean).join(" "), "aria-pressed": String(chosen), style: { "--much": much } };
  return h("button", { type: "button", "aria-label": name, title: name, ...how }, number || "");
}

/**
 * How strong the colour of each cell is: right answers by the share of their class, mistakes by the commonest mistake.
 * @param {number[][]} counts
 * @returns {(truth: number, answer: number) => number} 0 to 1
 */
export function shades(counts) {
  const most = Math.max(1, ...counts.map((row, truth) => Math.max(0, ...row.filter((_, answer) => answer !== truth))));
  return (truth, answer) => {
    const number = counts[truth][answer];
    if (!number) return 0;
    if (truth !== answer) return 0.25 + 0.75 * (number / most);
    return 0.75 * (number / counts[truth].reduce((sum, value) => sum + value, 0));
  };
}
