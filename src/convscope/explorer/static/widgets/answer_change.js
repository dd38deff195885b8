/** The network's answer before and after a change, side by side. */

import { h } from "../lib/dom.js";
import { formatPercent } from "../lib/numbers.js";
import { className } from "../lib/session.js";
import { classScores } from "./class_scores.js";

/**
 * One sentence on what became of the answer; "" for tasks without classes.
 * @param {{scores: {class: number, probability: number}[]}} before
 * @param {{scores: {class: number, probability: number}[]}} after
 * @returns {string}
 */
export function changeText(before, after) {
  const [first, second] = [before.scores[0], after.scores[0]];
  if (!first || !second) return "";
  const [was, is] = [formatPercent(first.probability), formatPercent(second.probability)];
  if (first.class !== second.class)
    return `The answer changes from ${className(first.class)} (${was}) to ${className(second.class)} (${is}).`;
  return was === is ? `The answer is ${className(first.class)}, ${was}.` : `The answer stays ${className(first.class)}: ${was}, then ${is}.`;
}

/**
 * Both answers.
 * @param {any} before a response of `/experiments`
 * @param {any} after another one
 * @returns {HTMLElement}
 */
export function answerChange(before, after) {
  const column = (title, answer) => h("div", {}, h("h3", {}, title), classScores({ truth: null, ...answer }, 4));
  return h(
    "div.stack.compact.answer-change",
    {},
    h("p", { "aria-live": "polite" }, changeText(before, after)),
    h("div.two-columns", {}, column("as trained", before), column("with the change", after)),
  );
}
