/** The page: takes pictures, answers them, and shows the answer, the heat map and the stages. */

import { answer } from "./answers.js";
import { mainOutput, showAnswer, withMask } from "./answer_view.js";
import { lastMaps, gradCam } from "./attribution.js";
import { byId, h } from "./dom.js";
import { drawingBoard } from "./drawing.js";
import { openNetwork } from "./network.js";
import { heatPicture, maskPicture, showPicture } from "./paint.js";
import { pattern, pixelsOf, readPicture } from "./picture.js";
import { showStages } from "./stage_view.js";

const LIVE = 120; // milliseconds that an answer may take to be given while drawing
const TOLERANCE = 1e-3;
const facts = JSON.parse(byId("facts").textContent);
const network = openNetwork(JSON.parse(byId("graph").textContent), byId("weights").textContent.trim());
const state = { source: null, found: null, chosen: 0, heat: null, opened: new Set(), drawing: false, pending: false };
const canvas = byId("picture");
const sheet = byId("sheet");

function answerPicture(source, { explain = true } = {}) {
  state.source = source;
  state.found = withMask(facts, answer(network, facts, pixelsOf(source)));
  state.chosen = mainOutput(state.found);
  state.heat = null;
  show();
  globalThis.convscope = { facts, found: state.found }; // for the curious, in the browser's console
  if (explain) painted().then(explainAnswer);
}

function explainAnswer() {
  if (!state.found) return;
  const maps = lastMaps(network, facts, state.found.values);
  if (!maps) return;
  const heat = gradCam(network, facts, state.found, maps, state.chosen);
  state.heat = heatPicture(heat);
  Object.assign(globalThis.convscope, { heat, chosen: state.chosen });
  paint();
}

function show() {
  const { found } = state;
  document.body.classList.add("answered");
  showAnswer(facts, found, state.chosen, choose);
  byId("time").textContent = `${found.milliseconds < 10 ? found.milliseconds.toFixed(1) : Math.round(found.milliseconds)} ms on this device`;
  document.body.dataset.milliseconds = found.milliseconds;
  paint();
  showStages(facts, found.values, state.opened, openStage);
}

function choose(k) {
  state.chosen = k;
  showAnswer(facts, state.found, k, choose);
  explainAnswer();
}

function openStage(label) {
  state.opened.add(label);
  showStages(facts, state.found.values, state.opened, openStage);
}

function paint() {
  const { found, source, heat } = state;
  if (!found || !source) return;
  const mask = found.mask && maskPicture(found.mask.classes, ...found.mask.shape, facts.firstIsBackground);
  showPicture(canvas, source, {
    window: found.window, heat, mask, box: found.box, strength: Number(byId("strength").value),
  });
  byId("overlay").hidden = !heat && !mask;
  byId("legend").textContent = heat
    ? `Where it looks for ${facts.names[state.chosen]}: from violet to yellow, the more the position supports it.`
    : "Each class in its colour.";
  document.body.dataset.explained = String(Boolean(heat || mask));
}

async function open(file) {
  if (!file) return;
  byId("error").hidden = true;
  try {
    const { canvas: source } = await readPicture(file);
    document.body.classList.add("busy");
    await painted();
    setDrawing(false);
    answerPicture(source);
  } catch (error) {
    byId("error").textContent = error.message;
    byId("error").hidden = false;
  }
  document.body.classList.remove("busy");
}

/** Wait until the browser has shown what changed. */
function painted() {
  return new Promise((done) => {
    requestAnimationFrame(() => setTimeout(done));
  });
}

function setDrawing(on) {
  state.drawing = on;
  document.body.classList.toggle("drawing", on);
  byId("draw").setAttribute("aria-pressed", String(on));
}

const board = drawingBoard(sheet, facts.darkPaper, (finished) => {
  if (state.pending && !finished) return;
  if (!finished && state.found && state.found.milliseconds > LIVE) return;
  state.pending = true;
  requestAnimationFrame(() => {
    state.pending = false;
    const copy = document.createElement("canvas");
    [copy.width, copy.height] = [sheet.width, sheet.height];
    copy.getContext("2d", { willReadFrequently: true }).drawImage(sheet, 0, 0);
    answerPicture(copy, { explain: finished });
  });
});

function clearAll() {
  board.clear();
  Object.assign(state, { source: null, found: null, heat: null });
  document.body.classList.remove("answered");
  byId("overlay").hidden = true;
  byId("stages-card").hidden = true;
  byId("bars").replaceChildren();
  byId("headline").textContent = "Waiting for a drawing";
  byId("note").textContent = "";
  byId("time").textContent = "";
}

function selfTest() {
  const size = facts.selfTest.size;
  const { answers } = answer(network, facts, pattern(...size, facts.channels));
  let largest = 0;
  for (const [name, expected] of Object.entries(facts.selfTest.answers)) {
    const scale = Math.max(1, ...expected.map(Math.abs));
    expected.forEach((value, i) => {
      const distance = Math.abs(answers[name].data[i] - value) / scale;
      largest = Number.isFinite(distance) ? Math.max(largest, distance) : Infinity;
    });
  }
  const passed = largest <= TOLERANCE;
  document.body.dataset.selfTest = String(largest);
  return [passed, `${passed ? "Passed" : "Failed"} on this device: the answers to a test pattern differ by ${largest.toExponential(0)} at most from those of the trained network.`];
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  if (state.found) show();
}

function listen() {
  for (const id of ["file", "photo"]) {
    byId(id).addEventListener("change", (event) => {
      open(event.target.files[0]);
      event.target.value = "";
    });
  }
  byId("draw").addEventListener("click", () => setDrawing(!state.drawing));
  byId("clear").addEventListener("click", clearAll);
  byId("strength").addEventListener("input", paint);
  byId("theme").addEventListener("click", () => {
    setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
  });
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("over");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) document.body.classList.remove("over");
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("over");
    open(event.dataTransfer.files[0]);
  });
  document.addEventListener("paste", (event) => open(event.clipboardData.files[0]));
}

async function start() {
  setTheme(matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  if (facts.channels === 1) setDrawing(true);
  listen();
  await painted(); // the self test of a large network takes a second
  const [passed, message] = selfTest();
  if (!passed) {
    byId("error").textContent = "The self test failed: this browser computes other answers than the trained network.";
    byId("error").hidden = false;
  }
  const rows = [...facts.details, ["Self test", message]];
  byId("details").replaceChildren(...rows.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
  document.body.dataset.ready = "true";
}

start();
