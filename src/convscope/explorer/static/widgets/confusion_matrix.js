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
 * @param {{selected?: [number, number] | null, onPick?: (truth: number, predicted: number) => void}} [options]
 * @returns {HTMLElement}
 */
export function confusionMatrix(classes, counts, { selected = null, onPick } = {}) {
  if (classes.length > MAX_CLASSES) return confusedPairList(classes, counts, { selected, onPick });
  const intensity = cellIntensity(counts);
  const cell = (truth, predicted) => {
    const isSelected = selected && selected[0] === truth && selected[1] === predicted;
    const label = `${formatCount(counts[truth][predicted], "image")}: label ${classes[truth]}, predicted ${classes[predicted]}`;
    const button = cellButton(
      counts[truth][predicted],
      label,
      truth === predicted,
      intensity(truth, predicted),
      Boolean(isSelected),
    );
    if (onPick) button.addEventListener("click", () => onPick(truth, predicted));
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
          classes.map((_, predicted) => cell(truth, predicted)),
        ),
      ),
    ),
  );
  return gridKeys(table, "button.cell");
}

function confusedPairList(classes, counts, { selected, onPick }) {
  const pairs = confusedPairs(counts).slice(0, MAX_PAIRS);
  const line = ([truth, predicted, number]) => {
    const isSelected = selected && selected[0] === truth && selected[1] === predicted;
    const label = `${classes[truth]}, predicted ${classes[predicted]}`;
    const button = h(
      "button",
      { type: "button", "aria-pressed": String(Boolean(isSelected)) },
      h("b", {}, number),
      label,
    );
    if (onPick) button.addEventListener("click", () => onPick(truth, predicted));
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
  const pairs = counts.flatMap((row, truth) => row.map((number, predicted) => [truth, predicted, number]));
  return pairs.filter(([truth, predicted, number]) => truth !== predicted && number > 0).sort((a, b) => b[2] - a[2]);
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
 * @returns {(truth: number, predicted: number) => number} 0 to 1
 */
export function cellIntensity(counts) {
  const maxErrors = Math.max(
    1,
    ...counts.map((row, truth) => Math.max(0, ...row.filter((_, predicted) => predicted !== truth))),
  );
  return (truth, predicted) => {
    const number = counts[truth][predicted];
    if (!number) return 0;
    if (truth !== predicted) return 0.25 + 0.75 * (number / maxErrors);
    return 0.75 * (number / counts[truth].reduce((sum, value) => sum + value, 0));
  };
}
