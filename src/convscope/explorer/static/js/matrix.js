/** The confusion matrix as a table of buttons: a row is what an image is, a column what it was called. */

import { count } from "./numbers.js";
import { h } from "./dom.js";
import { roving } from "./roving.js";

/**
 * The table.
 * @param {string[]} classes
 * @param {number[][]} counts rows are truth
 * @param {{chosen?: [number, number] | null, onPick?: (truth: number, answer: number) => void}} [how]
 * @returns {HTMLElement}
 */
export function matrix(classes, counts, { chosen = null, onPick } = {}) {
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
