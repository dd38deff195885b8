/** View: what the network wants, where it looks, what excites it: computed when asked for, kept in the run. */

import { find, spoken, stops } from "../lib/network_tree.js";
import { fill, h } from "../lib/dom.js";
import { go, here } from "../lib/router.js";
import { head } from "../widgets/parts.js";
import { QUESTIONS } from "../widgets/method_definitions.js";
import { runJob } from "../widgets/job_panel.js";
import { refresh, roving } from "../lib/grid_keys.js";
import { session } from "../lib/session.js";

/**
 * The view.
 * @param {{rail: any}} page
 */
export function questions({ rail }) {
  const held = { ask: "", job: null, said: {}, key: "" };
  const menu = roving(h("div.asks", { role: "group", "aria-label": "Questions" }), "button");
  const sheet = h("section.card.stack.answer");
  const element = h("div.stack", {});
  fill(
    element,
    head(
      "Questions",
      "What a network has learned cannot be read off its weights, but it can be asked. Answers are computed on this machine and kept in the run.",
      () => document.getElementById("frame"),
    ),
    h("div.asking", {}, menu, sheet),
  );
  return {
    element,
    show: (said) => show(held, { menu, sheet }, said),
    leave: () => {
      held.job?.leave();
      rail.field(null);
    },
  };
}

function show(held, { menu, sheet }, said) {
  const asked = Object.entries(QUESTIONS).filter(([, question]) => session.run.views.classes || !question.ofClasses);
  const ask = asked.some(([name]) => name === said.ask) ? said.ask : asked[0][0];
  const open = (more) => go("questions", { ...here().said, ...more }, { quiet: true });
  listAll(menu, asked, ask, said);
  const key = JSON.stringify([ask, said, session.run.network]);
  if (key === held.key) return;
  held.key = key;
  held.job?.leave();
  const question = QUESTIONS[ask];
  const context = {
    said,
    open,
    image: said.image,
    layers: layerOptions(),
    spoken,
    find: (name) => find(session.network, name),
  };
  const answer = h("div.stack");
  const begin = () => {
    held.job?.leave();
    held.job = runJob(question.method, question.settings(context), (numbers, result) =>
      question.show(numbers, result, context),
    );
    fill(answer, held.job.element);
  };
  fill(
    sheet,
    h("h2", {}, question.title),
    h("p.soft", {}, question.explains),
    h(
      "div.row.form.unsaved",
      {},
      question.form(context),
      h("button.first", { type: "button", on: { click: begin } }, question.does),
    ),
    answer,
  );
  if (question.quick) begin();
}

function listAll(menu, asked, ask, { image, layer, channel }) {
  const one = ([name, { title, asks }]) => {
    const click = () => go("questions", { image, layer, channel, ask: name });
    const how = { type: "button", "aria-pressed": String(name === ask), on: { click } };
    return h("button", how, h("b", {}, title), h("span", {}, asks));
  };
  refresh(fill(menu, asked.map(one)));
}

function layerOptions() {
  const all = stops(session.network);
  return all.map((node) => [node.name, spoken(node.name)]);
}
