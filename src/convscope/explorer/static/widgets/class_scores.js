/** The prediction for an image: class scores as bars, or as text. */

import { className } from "../lib/session.js";
import { h } from "../lib/dom.js";
import { formatPercent } from "../lib/numbers.js";

/**
 * The most probable classes as bars; for tasks without classes, the text of the prediction.
 * @param {{scores: {class: number, probability: number}[], lines: string[], truth: number | null}} input
 * @param {number} [limit]
 * @param {boolean} [keepOrder] few classes stay in class order, so that bars change in place
 * @returns {HTMLElement}
 */
export function classScores(input, limit = 5, keepOrder = false) {
  if (!input.scores.length)
    return h(
      "ul.bars",
      {},
      input.lines.map((line) => h("li", {}, line)),
    );
  const shown = input.scores.slice(0, limit);
  if (keepOrder && input.scores.length <= limit) shown.sort((a, b) => a.class - b.class);
  return h(
    "ul.bars",
    {},
    shown.map((one) => {
      const name = className(one.class);
      return h(
        "li",
        { class: one === input.scores[0] ? "best" : null },
        h(
          "span.label",
          { title: name },
          name,
          one.class === input.truth ? h("span.success", { title: "label" }, " ✓") : null,
        ),
        h("span.track", { "aria-hidden": "true" }, h("i", { style: { "--fraction": one.probability } })),
        h("span.value", {}, formatPercent(one.probability)),
      );
    }),
  );
}

/**
 * The prediction as a sentence, for screen readers.
 * @returns {string}
 */
export function predictionText(input) {
  if (!input.scores.length) return input.lines.join(", ");
  return input.scores
    .slice(0, 3)
    .map((one) => `${className(one.class)} ${formatPercent(one.probability)}`)
    .join(", ");
}
