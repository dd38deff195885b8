/** View: explanation methods, computed on demand, with results saved in the run. */

import { layerLabel, stages } from "../lib/network_tree.js";
import { fill, h } from "../lib/dom.js";
import { navigate, currentRoute } from "../lib/router.js";
import { viewHeader } from "../widgets/view_header.js";
import { formSettings, methodForm, schemaFields } from "../widgets/method_form.js";
import { methodResult } from "../widgets/method_results.js";
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
      "Explain",
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
  const available = session.methods.filter((method) => session.run.views.classes || !method.task_with_classes);
  const method = available.find(({ name }) => name === params.method) ?? available[0];
  const open = (changes) => navigate("methods", { ...currentRoute().params, ...changes }, { quiet: true });
  listMethods(menu, available, method.name, params);
  const key = JSON.stringify([method.name, params, session.run.network]);
  if (key === state.key) return;
  state.key = key;
  state.job?.leave();
  const fields = schemaFields(method.schema);
  const output = h("div.stack");
  const start = () => {
    state.job?.leave();
    const settings = formSettings(fields, { params, image: params.image });
    state.job = jobPanel(method.name, settings, (result) => methodResult(method.name, result, params.image, settings));
    fill(output, state.job.element);
  };
  fill(
    card,
    h("h2", {}, method.title),
    h("p", {}, method.summary),
    h("p.muted", {}, method.limitations),
    h(
      "div.stack.no-screenshot",
      {},
      h(
        "details.method-settings",
        { open: !method.quick || isSet(params) },
        h("summary", {}, "Settings"),
        methodForm(fields, { params, open, layers: layerOptions() }),
      ),
      h("div.row", {}, h("button.primary", { type: "button", on: { click: start } }, "Run")),
    ),
    output,
  );
  if (method.quick) start();
}

function isSet(params) {
  return Object.keys(params).some((name) => name.startsWith("set.") && name !== "set.pixel");
}

function listMethods(menu, available, method, { image, layer, channel }) {
  const button = ({ name, title, summary }) => {
    const click = () => navigate("methods", { image, layer, channel, method: name });
    const attributes = { type: "button", "aria-pressed": String(name === method), on: { click } };
    return h("button", { ...attributes, title: summary }, h("b", {}, title));
  };
  refreshTabStop(fill(menu, available.map(button)));
}

function layerOptions() {
  const nodes = stages(session.network);
  return nodes.map((node) => [node.name, layerLabel(node.name)]);
}
