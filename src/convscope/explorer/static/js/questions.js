/** View: what the network wants, where it looks, what excites it: computed when asked for, kept in the run. */

import { find, spoken, stops } from "./network.js";
import { fill, h } from "./dom.js";
import { go, here } from "./address.js";
import { head } from "./parts.js";
import { QUESTIONS } from "./question_kinds.js";
import { runJob } from "./jobs.js";
import { roving } from "./roving.js";
import { session } from "./session.js";

/**
 * The view.
 * @param {{rail: any}} page
 */
export function questions({ rail }) {
  const held = { ask: "", job: null, said: {}, key: "" };
  const menu = roving(h("div.asks", { role: "group", "aria-label": "Questions" }), "button");
  const sheet = h("section.card.stack.answer");
  const element = h("div.stack", {});
  fill(element, head("Questions", "What a network has learned cannot be read off its weights, but it can be asked. Answers are computed on this machine and kept in the run.", () => document.getElementById("frame")),
    h("div.asking", {}, menu, sheet));
  return { element, show: (said) => show(held, { menu, sheet }, said), leave: () => { held.job?.leave(); rail.field(null); } };
}

function show(held, { menu, sheet }, said) {
  const ask = QUESTIONS[said.ask] ? said.ask : "where";
  const open = (more) => go("questions", { ...here().said, ...more }, { quiet: true });
  fill(menu, Object.entries(QUESTIONS).map(([name, question]) => h("button", {
    type: "button", "aria-pressed": String(name === ask), on: { click: () => go("questions", { image: said.image, layer: said.layer, channel: said.channel, ask: name }) },
  }, h("b", {}, question.title), h("span", {}, question.asks))));
  menu.querySelector("[aria-pressed=true]").tabIndex = 0;
  const key = JSON.stringify([ask, said, session.run.network]);
  if (key === held.key) return;
  held.key = key;
  held.job?.leave();
  const question = QUESTIONS[ask];
  const context = { said, open, image: said.image, layers: layerOptions(), spoken, find: (name) => find(session.network, name) };
  const answer = h("div.stack");
  const begin = () => {
    held.job?.leave();
    held.job = runJob(question.method, question.settings(context), (numbers, result) => question.show(numbers, result, context));
    fill(answer, held.job.element);
  };
  fill(sheet, h("h2", {}, question.title), h("p.soft", {}, question.explains),
    h("div.row.form.unsaved", {}, question.form(context), h("button.first", { type: "button", on: { click: begin } }, question.does)), answer);
  if (question.quick) begin();
}

function layerOptions() {
  const all = stops(session.network);
  return all.map((node) => [node.name, spoken(node.name)]);
}
