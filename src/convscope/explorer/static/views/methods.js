/** View: explanation methods, computed on demand, with results saved in the run. */

import { findNode, layerLabel, stages } from "../lib/network_tree.js";
import { fill, h } from "../lib/dom.js";
import { navigate, currentRoute } from "../lib/router.js";
import { viewHeader } from "../widgets/view_header.js";
import { METHODS } from "../widgets/method_definitions.js";
import { jobPanel } from "../widgets/job_panel.js";
import { refreshTabStop, gridKeys } from "../lib/grid_keys.js";
import { session } from "../lib/session.js";

/**
 * The view.
 * @param {{sidebar: any}} page
 */
export function methodsView({ sidebar }) {
  const state = { method: "", job: null, params: {}, key: "" };
  const menu = gridKeys(h("div.method-list", { role: "group", "aria-label": "Methods" }), "button");
  const card = h("section.card.stack.method-card");
  const element = h("div.stack", {});
  fill(
    element,
    viewHeader(
      "Methods",
      "Methods that explain what the network has learned. Results are computed on this machine and saved in the run.",
      () => document.getElementById("layout"),
    ),
    h("div.methods", {}, menu, card),
  );
  return {
    element,
    show: (params) => show(state, { menu, card }, params),
    leave: () => {
      state.job?.leave();
      sidebar.showField(null);
    },
  };
}

function show(state, { menu, card }, params) {
  const available = Object.entries(METHODS).filter(
    ([, definition]) => session.run.views.classes || !definition.needsClasses,
  );
  const method = available.some(([name]) => name === params.method) ? params.method : available[0][0];
  const open = (changes) => navigate("methods", { ...currentRoute().params, ...changes }, { quiet: true });
  listMethods(menu, available, method, params);
  const key = JSON.stringify([method, params, session.run.network]);
  if (key === state.key) return;
  state.key = key;
  state.job?.leave();
  const definition = METHODS[method];
  const context = {
    params,
    open,
    image: params.image,
    layers: layerOptions(),
    layerLabel,
    find: (name) => findNode(session.network, name),
  };
  const output = h("div.stack");
  const start = () => {
    state.job?.leave();
    state.job = jobPanel(definition.method, definition.settings(context), (numbers, result) =>
      definition.show(numbers, result, context),
    );
    fill(output, state.job.element);
  };
  fill(
    card,
    h("h2", {}, definition.title),
    h("p.muted", {}, definition.description),
    h(
      "div.row.form.no-screenshot",
      {},
      definition.form(context),
      h("button.primary", { type: "button", on: { click: start } }, definition.action),
    ),
    output,
  );
  if (definition.auto) start();
}

function listMethods(menu, available, method, { image, layer, channel }) {
  const button = ([name, { title, subtitle }]) => {
    const click = () => navigate("methods", { image, layer, channel, method: name });
    const attributes = { type: "button", "aria-pressed": String(name === method), on: { click } };
    return h("button", attributes, h("b", {}, title), h("span", {}, subtitle));
  };
  refreshTabStop(fill(menu, available.map(button)));
}

function layerOptions() {
  const nodes = stages(session.network);
  return nodes.map((node) => [node.name, layerLabel(node.name)]);
}
