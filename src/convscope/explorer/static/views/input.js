/**
 * View: an input image, drawn, uploaded, or taken from the data and edited, with the prediction and feature maps
 * updated on every change.
 */

import { apiUrl, getJson, isAborted, send } from "../lib/api.js";
import { predictionText, classScores } from "../widgets/class_scores.js";
import { answerDetails } from "../widgets/answer_details.js";
import { answerLayers } from "../widgets/answer_layers.js";
import { errorMessage } from "../widgets/error_message.js";
import { viewHeader } from "../widgets/view_header.js";
import { mapStrip } from "../widgets/map_strip.js";
import { className, session, publish } from "../lib/session.js";
import { dropZone } from "../widgets/drop_zone.js";
import { fill, h } from "../lib/dom.js";
import { navigate, formatRoute } from "../lib/router.js";
import { runLatest } from "../lib/latest_request.js";
import { drawingCanvas } from "../widgets/canvas.js";
import { imagePicker } from "../widgets/image_picker.js";
import { outputNames, stages } from "../lib/network_tree.js";
import { loadMapStrip } from "../widgets/map_strip_loader.js";
import { canvasTools } from "../widgets/canvas_tools.js";

const DRAW_DESCRIPTION =
  "Draw, drop an image, or choose one from the data; the prediction is updated with every stroke.";
const EDIT_DESCRIPTION =
  "Drop an image or choose one from the data, then paint over it, shift it, rotate it; " +
  "the prediction is updated with every change.";

/**
 * The view.
 */
export function inputView() {
  const { run } = session;
  const state = { base: null, shown: "", ownImage: "", stages: stages(session.network) };
  const prediction = h("div.scores.stack");
  const milliseconds = h("p.muted.small");
  const status = h("div");
  const answer = answerLayers();
  const answerPicture = h("img.image", { alt: "" });
  const answerFigure = h("div.answer-figure", { hidden: true }, h("div.image-frame", {}, answerPicture, answer.layers), answer.controls);
  const parts = { prediction, milliseconds, status, answer, answerPicture, answerFigure };
  parts.strip = mapStrip(state.stages, {
    input: session.network.input,
    outputs: outputNames(session),
    onPick: (layer) => navigate("network", { image: state.shown, layer }),
    onChannel: (layer, channel) => navigate("network", { image: state.shown, layer, channel }),
  });
  const paintable = [1, 3].includes(run.input.channels); // others are files only: a canvas has red, green and blue
  const onChange = runLatest(() => predict(state, parts));
  parts.canvas = drawingCanvas({ ...run.input, draw: session.draw }, () => onChange());
  if (!paintable) parts.canvas.element.style.pointerEvents = "none";
  parts.tools = canvasTools(parts.canvas, session.draw, () => predict(state, parts), state);
  parts.picker = imagePicker((image) => navigate("input", { image }));
  const onFile = (file) => upload(state, parts, file);
  const element = h("div.stack", {});
  const editor = [dropZone(parts.canvas.element, onFile), ...(paintable ? [parts.tools] : [])];
  const links = h(
    "div.row.no-screenshot",
    {},
    viewLink(state, "network", "Show in network"),
    viewLink(state, "methods", "Attribution", { method: "attribution" }),
  );
  const predictionCard = h("section.card.stack", {}, prediction, answerFigure, h("div.row.space-between", {}, milliseconds, links));
  fill(
    element,
    viewHeader("Input", session.draw ? DRAW_DESCRIPTION : EDIT_DESCRIPTION, () => element),
    h(
      "div.input-layout",
      {},
      h("section.card.stack.editor", {}, editor, status),
      h("div.stack", {}, predictionCard, h("section.card", {}, parts.strip.element)),
    ),
    parts.picker.element,
  );
  return {
    element,
    show: (params) => show(state, parts, params),
    leave: () => {
      state.left = true;
    },
  };
}

async function show(state, parts, { image }) {
  const key = `${image} ${session.run.network}`;
  if (state.key === key) return;
  state.key = key;
  parts.picker.show(image);
  if (state.ownImage === image) return; // just made on the canvas
  try {
    const picture = new Image();
    picture.src = apiUrl(`images/${encodeURIComponent(image)}/picture.png`);
    const [input] = await Promise.all([
      getJson(`inputs/${encodeURIComponent(image)}`),
      picture.decode().catch(() => {
        throw new Error("The image cannot be shown: the server returned none.");
      }),
    ]);
    if (state.key !== key) return;
    state.base = image;
    parts.canvas.load(picture);
    parts.tools.reset();
    fill(parts.status);
    showPrediction(state, parts, input);
  } catch (error) {
    state.key = "";
    fill(parts.status, errorMessage(error));
  }
}

async function predict(state, parts) {
  const blob = await parts.canvas.toBlob();
  const startTime = performance.now();
  const watch = state.stages.map((stage) => stage.name);
  try {
    const name = state.base ? "edited image" : "drawn image";
    const input = await send("POST", "inputs", blob, {
      name,
      like: state.base,
      centre: Boolean(state.center && session.draw),
      watch,
    });
    if (state.left) return;
    state.ownImage = input.id;
    fill(parts.status);
    const loading = showPrediction(state, parts, input);
    state.key = `${input.id} ${session.run.network}`;
    navigate("input", { image: input.id }, { quiet: true });
    const times = [performance.now() - startTime, input.milliseconds].map((time) => Math.round(time));
    parts.milliseconds.textContent = `${times[0]} ms from canvas to prediction, ${times[1]} ms of them in the network`;
    await loading; // the next stroke is sent when this one is displayed
  } catch (error) {
    if (!isAborted(error)) fill(parts.status, errorMessage(error));
  }
}

async function upload(state, parts, file) {
  fill(parts.status, h("p.muted", {}, `Reading ${file.name} …`));
  try {
    const input = await send("POST", "inputs", file, { name: file.name });
    fill(parts.status);
    navigate("input", { image: input.id });
  } catch (error) {
    fill(parts.status, errorMessage(error));
    publish("announce", error.message);
  }
}

function showPrediction(state, parts, input) {
  state.shown = input.id;
  parts.picker.show(input.id);
  const truth = input.truth === null ? null : h("p.muted", {}, `${input.name}, label: ${className(input.truth)}`);
  fill(
    parts.prediction,
    h(
      "div.top-class",
      {},
      h("p.muted", {}, "Prediction"),
      h(
        "p.class-name",
        { class: input.scores.length ? "class-name" : "class-name long" },
        input.scores.length ? className(input.scores[0].class) : (input.lines[0] ?? ""),
      ),
      truth,
    ),
    input.scores.length
      ? classScores(input, 12, true)
      : h(
          "ul.bars",
          {},
          input.lines.slice(1).map((line) => h("li", {}, line)),
        ),
    answerDetails(input.answer),
  );
  parts.answerFigure.hidden = !session.run.answers_drawn;
  if (session.run.answers_drawn) {
    parts.answerPicture.src = apiUrl(`images/${encodeURIComponent(input.id)}/picture.png`);
    parts.answer.show(input);
  }
  clearTimeout(state.announceTimer);
  state.announceTimer = setTimeout(() => publish("announce", `Predicted: ${predictionText(input)}`), 700);
  parts.milliseconds.textContent = "";
  return loadMapStrip(parts.strip, state.stages, input.id, { isCurrent: () => state.shown === input.id });
}

function viewLink(state, view, label, params = {}) {
  const link = h("a.button", { href: formatRoute(view, params) }, label);
  link.addEventListener("click", () => {
    link.href = formatRoute(view, { image: state.shown, ...params });
  });
  return link;
}
