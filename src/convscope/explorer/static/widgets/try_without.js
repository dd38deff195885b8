/** Exercise: switch activation functions off and see the answer change. */

import { send } from "../lib/api.js";
import { fill, h } from "../lib/dom.js";
import { runLatest } from "../lib/latest_request.js";
import { layerLabel, leaves } from "../lib/network_tree.js";
import { session } from "../lib/session.js";
import { answerChange } from "./answer_change.js";
import { errorMessage } from "./error_message.js";

/**
 * The exercise.
 * @returns {{element: HTMLElement, show: (image: string) => void}}
 */
export function tryWithout() {
  const state = { image: "", network: "", off: new Set(), before: null };
  const chips = h("div.chips", { role: "group", "aria-label": "Activation functions that are off" });
  const result = h("div.stack.compact");
  const element = h(
    "section.card.stack.compact.try-it.try-without.no-screenshot",
    {},
    h("h2", {}, "Try it: switch an activation off"),
    h(
      "p.muted",
      {},
      "A layer that is off passes its input on. Without any, the convolutions in a row are one linear function: does the network need them?",
    ),
    chips,
    result,
  );
  const compute = runLatest(() => showResult(state, result));
  const show = (image) => {
    const layers = leaves(session.network.sections).filter((node) => node.group === "activation");
    element.hidden = !layers.length;
    if (element.hidden || (state.image === image && state.network === session.run.network)) return;
    if (state.network !== session.run.network) state.off.clear();
    Object.assign(state, { image, network: session.run.network, before: null });
    showChips(state, chips, layers, compute);
    compute();
  };
  return { element, show };
}

function showChips(state, chips, layers, compute) {
  const set = (names) => {
    state.off = new Set(names);
    chips.querySelectorAll("[data-layer]").forEach((chip) => {
      chip.setAttribute("aria-pressed", String(state.off.has(chip.dataset.layer)));
    });
    compute();
  };
  const toggled = (name) => (state.off.has(name) ? [...state.off].filter((one) => one !== name) : [...state.off, name]);
  const chip = ({ name }) =>
    h(
      "button",
      {
        type: "button",
        "data-layer": name,
        "aria-pressed": String(state.off.has(name)),
        on: { click: () => set(toggled(name)) },
      },
      `${layerLabel(name)} off`,
    );
  fill(
    chips,
    layers.map(chip),
    h("button", { type: "button", on: { click: () => set(layers.map(({ name }) => name)) } }, "all off"),
    h("button", { type: "button", on: { click: () => set([]) } }, "all on"),
  );
}

async function showResult(state, result) {
  const address = `experiments/${encodeURIComponent(state.image)}`;
  try {
    state.before ??= await send("POST", address, {});
    const after = await send("POST", address, { off: [...state.off] });
    fill(result, answerChange(state.before, after));
  } catch (error) {
    fill(result, errorMessage(error));
  }
}
