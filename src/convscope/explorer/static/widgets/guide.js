/** The first minute in four steps, from an image to its answer; hidden once it is closed. */

import { fill, h } from "../lib/dom.js";
import { formatRoute } from "../lib/router.js";
import { session } from "../lib/session.js";

const CLOSED = "convscope-guide-closed";

/**
 * The steps, above the view.
 * @param {HTMLElement} element
 * @returns {{show: (view: string, params: Object<string, any>) => void}}
 */
export function guide(element) {
  const close = h("button", { type: "button", "aria-label": "Close the first steps", title: "Close" }, "×");
  close.addEventListener("click", () => {
    localStorage.setItem(CLOSED, "1");
    element.hidden = true;
  });
  return {
    show: (view, params) => {
      element.hidden = localStorage.getItem(CLOSED) === "1" || !session.run.has_network;
      if (element.hidden) return;
      fill(element, h("ol", {}, steps(params).map((step, i) => stepLink(step, i, view, params))), close);
    },
  };
}

/**
 * The four steps: view, parameters, and text.
 * @param {{image?: string, layer?: string, channel?: string}} params of the current view
 */
export function steps({ image, layer, channel }) {
  const drawn = session.draw && session.run.views.upload;
  const position = { image, layer, channel };
  const answer = session.run.views.confusion
    ? ["unit", { image, layer: session.network.output, step: "answer" }]
    : ["methods", { image, method: "attribution" }];
  return [
    drawn ? ["input", { image }, "Draw", "a digit, or whatever the run is about"] : ["confusion", { image }, "See a mistake", "and what the label says"],
    ["network", { image }, "See it flow", "through the layers, as feature maps"],
    ["unit", position, "Click a position", "of a map: every number is a sum you can read"],
    [...answer, "Follow it to the answer", "which positions and units decide it"],
  ].map(([view, to, name, text]) => ({ view, to, name, text }));
}

function stepLink({ view, to, name, text }, i, current, params) {
  const here = view === current && (!to.step || to.layer === params.layer);
  const isCurrent = here && !(view === "unit" && i === 2 && params.layer === session.network.output);
  return h(
    "li",
    {},
    h(
      "a",
      { href: formatRoute(view, { ...to, step: null }), "aria-current": isCurrent ? "step" : null },
      h("b", {}, name),
      h("span.muted", {}, text),
    ),
  );
}
