/**
 * View: a picture of one's own, drawn, dropped, or taken from the data and changed, with the network following every
 * change.
 */

import { address, get, replaced, send } from "../lib/api.js";
import { answerInWords, answers, head, trouble } from "../widgets/parts.js";
import { band } from "../widgets/map_strip.js";
import { className, session, tell } from "../lib/session.js";
import { dropZone } from "../widgets/drop_zone.js";
import { fill, h } from "../lib/dom.js";
import { go, write } from "../lib/router.js";
import { lastWaiting } from "../lib/latest_request.js";
import { pad } from "../widgets/canvas.js";
import { picker } from "../widgets/image_picker.js";
import { outputs, stops } from "../lib/network_tree.js";
import { stand } from "../widgets/map_strip_loader.js";
import { tools } from "../widgets/canvas_tools.js";

const DRAW = "Draw, drop a picture, or take one from the data; every stroke goes through the network as you make it.";
const CHANGE =
  "Drop a picture or take one from the data, then paint over it, shift it, turn it; " +
  "every change goes through the network as you make it.";

/**
 * The view.
 */
export function input() {
  const { run } = session;
  const held = { base: null, shown: "", own: "", stops: stops(session.network) };
  const said = h("div.said.stack");
  const milliseconds = h("p.soft.small");
  const status = h("div");
  const parts = { said, milliseconds, status };
  parts.range = band(held.stops, {
    input: session.network.input,
    outputs: outputs(session),
    onPick: (layer) => go("landscape", { image: held.shown, layer }),
    onChannel: (layer, channel) => go("landscape", { image: held.shown, layer, channel }),
  });
  const changed = lastWaiting(() => ask(held, parts));
  parts.pad = pad({ ...run.input, draw: session.draw }, () => changed());
  parts.tools = tools(parts.pad, session.draw, () => ask(held, parts), held);
  parts.picker = picker((image) => go("input", { image }));
  const pick = (file) => upload(held, parts, file);
  const element = h("div.stack", {});
  const easel = run.views.upload
    ? [dropZone(parts.pad.element, pick), parts.tools]
    : h("p.soft", {}, run.why_not.upload);
  const links = h(
    "div.row.unsaved",
    {},
    lookInside(held, "landscape", "See it in the landscape"),
    lookInside(held, "questions", "Where does it look?"),
  );
  const answer = h("section.card.stack", {}, said, h("div.row.spread", {}, milliseconds, links));
  fill(
    element,
    head("Your input", session.draw ? DRAW : CHANGE, () => element),
    h(
      "div.studio",
      {},
      h("section.card.stack.easel", {}, easel, status),
      h("div.stack", {}, answer, h("section.card", {}, parts.range.element)),
    ),
    parts.picker.element,
  );
  return {
    element,
    show: (asked) => show(held, parts, asked),
    leave: () => {
      held.gone = true;
    },
  };
}

async function show(held, parts, { image }) {
  const key = `${image} ${session.run.network}`;
  if (held.key === key) return;
  held.key = key;
  parts.picker.show(image);
  if (held.own === image) return; // made on the pad just now
  try {
    const picture = new Image();
    picture.src = address(`images/${encodeURIComponent(image)}/picture.png`);
    const [input] = await Promise.all([
      get(`inputs/${encodeURIComponent(image)}`),
      picture.decode().catch(() => {
        throw new Error("The picture cannot be shown: the server gave none.");
      }),
    ]);
    if (held.key !== key) return;
    held.base = image;
    parts.pad.load(picture);
    parts.tools.reset();
    fill(parts.status);
    told(held, parts, input);
  } catch (error) {
    held.key = "";
    fill(parts.status, trouble(error));
  }
}

async function ask(held, parts) {
  const blob = await parts.pad.picture();
  const began = performance.now();
  const watch = held.stops.map((stop) => stop.name);
  try {
    const named = held.base ? "changed on the pad" : "drawn on the pad";
    const input = await send("POST", "inputs", blob, {
      name: named,
      like: held.base,
      centre: Boolean(held.centre && session.draw),
      watch,
    });
    if (held.gone) return;
    held.own = input.id;
    fill(parts.status);
    const standing = told(held, parts, input);
    held.key = `${input.id} ${session.run.network}`;
    go("input", { image: input.id }, { quiet: true });
    const took = [performance.now() - began, input.milliseconds].map((time) => Math.round(time));
    parts.milliseconds.textContent = `${took[0]} ms from the pad to the answer, ${took[1]} ms of them in the network`;
    await standing; // the next stroke is asked about when this one is on the screen
  } catch (error) {
    if (!replaced(error)) fill(parts.status, trouble(error));
  }
}

async function upload(held, parts, file) {
  fill(parts.status, h("p.soft", {}, `Reading ${file.name} …`));
  try {
    const input = await send("POST", "inputs", file, { name: file.name });
    fill(parts.status);
    go("input", { image: input.id });
  } catch (error) {
    fill(parts.status, trouble(error));
    tell("say", error.message);
  }
}

function told(held, parts, input) {
  held.shown = input.id;
  parts.picker.show(input.id);
  const truth = input.truth === null ? null : h("p.soft", {}, `${input.name} is ${className(input.truth)}`);
  fill(
    parts.said,
    h(
      "div.verdict",
      {},
      h("p.soft", {}, "The network says"),
      h(
        "p.name",
        { class: input.answer.length ? "name" : "name long" },
        input.answer.length ? className(input.answer[0].class) : (input.said[0] ?? ""),
      ),
      truth,
    ),
    input.answer.length
      ? answers(input, 12, true)
      : h(
          "ul.bars",
          {},
          input.said.slice(1).map((line) => h("li", {}, line)),
        ),
  );
  clearTimeout(held.speaking);
  held.speaking = setTimeout(() => tell("say", `Called ${answerInWords(input)}`), 700);
  parts.milliseconds.textContent = "";
  return stand(parts.range, held.stops, input.id, { wanted: () => held.shown === input.id });
}

function lookInside(held, view, said) {
  const link = h("a.button", { href: write(view) }, said);
  link.addEventListener("click", () => {
    link.href = write(view, { image: held.shown });
  });
  return link;
}
