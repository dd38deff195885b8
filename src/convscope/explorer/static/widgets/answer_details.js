/** Answers that are not drawn over the image: labels as tags, numbers predicted and true. */

import { h } from "../lib/dom.js";
import { formatNumber, formatPercent } from "../lib/numbers.js";

const STATES = {
  correct: ["✓", "predicted and true"],
  extra: ["+", "predicted, but not in the data"],
  missed: ["−", "in the data, but not predicted"],
  unknown: ["?", "predicted; unknown in the data"],
  predicted: ["", "predicted"],
};

/**
 * Tags and numbers of an answer; nothing if it has none.
 * @param {{tags: any[], numbers: any[]}} answer
 * @returns {HTMLElement[]}
 */
export function answerDetails({ tags, numbers }) {
  return [tags.length ? tagList(tags) : null, numbers.length ? numberTable(numbers) : null].filter(Boolean);
}

function tagList(tags) {
  return h(
    "ul.tags",
    { "aria-label": "Labels" },
    tags.map(({ name, state, probability }) => {
      const [sign, meaning] = STATES[state];
      const title = `${name}: ${meaning}, ${formatPercent(probability)}`;
      return h("li", { class: `tag ${state}`, title }, h("b", { "aria-hidden": "true" }, sign), name,
        h("span.visually-hidden", {}, `, ${meaning}`));
    }),
  );
}

function numberTable(numbers) {
  const known = numbers.some(({ target }) => target !== null);
  const heading = (text) => h("th", { scope: "col" }, text);
  return h(
    "table.numbers",
    {},
    h("thead", {}, h("tr", {}, heading("number"), heading("predicted"), known ? ["true", "off by"].map(heading) : null)),
    h("tbody", {}, numbers.map((one) => numberRow(one, known))),
  );
}

function numberRow({ name, predicted, target }, known) {
  const off = target === null ? "unknown" : `${predicted >= target ? "+" : ""}${formatNumber(predicted - target)}`;
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, name),
    h("td", {}, formatNumber(predicted)),
    known ? [h("td", {}, target === null ? "unknown" : formatNumber(target)), h("td", {}, off)] : null,
  );
}
