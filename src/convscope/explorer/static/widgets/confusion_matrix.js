/** The confusion matrix as a table of buttons: rows are labels, columns are predictions. */

import { formatCount } from "../lib/numbers.js";
import { h } from "../lib/dom.js";
import { gridKeys } from "../lib/grid_keys.js";

const MAX_CLASSES = 40; // classes; larger tables are unreadable
const MAX_PAIRS = 60;

/**
 * The table; with many classes, a list of the most frequent confusions.
 * @param {string[]} classes
 * @param {number[][]} counts rows are labels
 * @param {{selected?: [number, number] | null, onPick?: (truth: number, answer: number) => void}} [options]
 * @returns {HTMLElement}
 */
export function confusionMatrix(classes, counts, { selected = null, onPick } = {}) {
  if (classes.length > MAX_CLASSES) return confusedPairList(classes, counts, { selected, onPick });
  const intensity = cellIntensity(counts);
  const cell = (truth, answer) => {
    const isSelected = selected && selected[0] === truth && selected[1] === answer;
    const label = `${formatCount(counts[truth][answer], "image")}: label ${classes[truth]}, predicted ${classes[answer]}`;
    const button = cellButton(
      counts[truth][answer],
      label,
      truth === answer,
      intensity(truth, answer),
      Boolean(isSelected),
    );
    if (onPick) button.addEventListener("click", () => onPick(truth, answer));
    return h("td", {}, button);
  };
  const table = h(
    "table.confusion-matrix",
    {},
    h("caption.visually-hidden", {}, "Confusion matrix: rows are labels, columns are predictions"),
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        h("td", { "aria-hidden": "true" }, h("span.corner", {}, "label ↓  predicted →")),
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
  return gridKeys(table, "button.cell");
}

function confusedPairList(classes, counts, { selected, onPick }) {
  const pairs = confusedPairs(counts).slice(0, MAX_PAIRS);
  const line = ([truth, answer, number]) => {
    const isSelected = selected && selected[0] === truth && selected[1] === answer;
    const label = `${classes[truth]}, predicted ${classes[answer]}`;
    const button = h(
      "button",
      { type: "button", "aria-pressed": String(Boolean(isSelected)) },
      h("b", {}, number),
      label,
    );
    if (onPick) button.addEventListener("click", () => onPick(truth, answer));
    return button;
  };
  return gridKeys(h("div.stack.compact", { role: "group", "aria-label": "Most frequent confusions" }, pairs.map(line)));
}

/**
 * Pairs of label and prediction that differ, the most frequent first.
 * @param {number[][]} counts rows are labels
 * @returns {[number, number, number][]} label, prediction, count
 */
export function confusedPairs(counts) {
  const pairs = counts.flatMap((row, truth) => row.map((number, answer) => [truth, answer, number]));
  return pairs.filter(([truth, answer, number]) => truth !== answer && number > 0).sort((a, b) => b[2] - a[2]);
}

function cellButton(number, name, correct, fraction, selected) {
  const classNames = [
    "cell",
    correct ? "correct" : "misclassified",
    number ? "" : "zero",
    fraction > (correct ? 0.62 : 0.85) ? "dark" : "",
  ];
  const attributes = {
    class: classNames.filter(Boolean).join(" "),
    "aria-pressed": String(selected),
    style: { "--fraction": fraction },
  };
  return h("button", { type: "button", "aria-label": name, title: name, ...attributes }, number || "");
}

/**
 * The colour intensity of each cell: correct ones by the fraction of their class, errors relative to the largest.
 * @param {number[][]} counts
 * @returns {(truth: number, answer: number) => number} 0 to 1
 */
export function cellIntensity(counts) {
  const maxErrors = Math.max(
    1,
    ...counts.map((row, truth) => Math.max(0, ...row.filter((_, answer) => answer !== truth))),
  );
  return (truth, answer) => {
    const number = counts[truth][answer];
    if (!number) return 0;
    if (truth !== answer) return 0.25 + 0.75 * (number / maxErrors);
    return 0.75 * (number / counts[truth].reduce((sum, value) => sum + value, 0));
  };
}
