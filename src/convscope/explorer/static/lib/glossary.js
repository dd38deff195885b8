/** The words of the field, explained where they stand: on hover, and on keyboard focus. */

import { h } from "./dom.js";

const WORDS = {
  "feature maps": "The outputs of a layer as small images, one per channel: how strongly the channel's pattern is present at each position.",
  "feature map": "The output of one channel as a small image: how strongly its pattern is present at each position.",
  "feature space": "The numbers that the network computes for an image before its last layer; similar images have similar numbers.",
  "receptive field": "The part of the image that a value can depend on.",
  attribution: "How much each position of the image contributes to an answer of the network.",
  activation: "A value that a unit of the network computes for an image.",
  channels: "The patterns that a layer looks for; each has its own weights and its own map.",
  channel: "One of the patterns that a layer looks for, with its own weights and its own map.",
  stage: "A group of layers that work at one resolution.",
  unit: "One channel at one position: a single number of the network.",
  prediction: "The answer of the network for an image.",
  label: "The true answer, as the data give it.",
  logit: "The score of a class before it becomes a probability.",
  bias: "A constant that a unit adds to its sum.",
  "confusion matrix": "How many images of each class were predicted as each class; a row is the label, a column the prediction.",
  epoch: "One pass over all training images.",
  generalisation: "How well the network does on images that it was not trained on.",
};
const PATTERN = new RegExp(`\\b(${Object.keys(WORDS).join("|")})\\b`, "gi");

/**
 * A text with its words of the field explained, each where it occurs first.
 * @param {string} text
 * @returns {(string | HTMLElement)[]}
 */
export function withTerms(text) {
  const explained = new Set();
  return text.split(PATTERN).map((part, i) => {
    const word = part.toLowerCase();
    if (i % 2 === 0 || explained.has(word)) return part;
    explained.add(word);
    return h("dfn.term", { tabindex: 0, "data-explanation": WORDS[word], title: WORDS[word] }, part);
  });
}
