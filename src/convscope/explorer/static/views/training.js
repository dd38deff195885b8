/** View: training by epoch: curves, confusion matrix and feature maps at each, also while training runs. */

import { fill, h } from "../lib/dom.js";
import { showProbeMaps } from "../widgets/probe_maps.js";
import { getJson } from "../lib/api.js";
import { navigate, currentRoute } from "../lib/router.js";
import { lineChart } from "../widgets/line_chart.js";
import { formatNumber, formatPercent } from "../lib/numbers.js";
import { errorMessage } from "../widgets/error_message.js";
import { viewHeader } from "../widgets/view_header.js";
import { confusionMatrix } from "../widgets/confusion_matrix.js";
import { latestSignal } from "../lib/latest_request.js";
import { subscribe, session, publish } from "../lib/session.js";

/**
 * The view.
 */
export function trainingView() {
  const state = {
    curves: null,
    probes: null,
    matrix: null,
    params: {},
    signal: latestSignal(),
    probeCache: new Map(),
    timer: null,
  };
  const slider = h("input", { type: "range", min: 1, step: 1, "aria-label": "Epoch" });
  const readout = h("output.epoch");
  const play = h("button", { type: "button" }, "Play");
  const parts = {
    slider,
    readout,
    play,
    charts: h("div.two-columns"),
    confusionCard: h("section.card.stack"),
    probeCard: h("section.card.stack"),
  };
  const open = (params) => navigate("training", { ...currentRoute().params, ...params }, { quiet: true });
  slider.addEventListener("input", () => open({ epoch: slider.value }));
  play.addEventListener("click", () => togglePlay(state, parts, open));
  const element = h("div.stack", {});
  fill(
    element,
    viewHeader(
      "Training",
      "Training epoch by epoch. The dashed line marks the selected epoch; the feature maps are those of the network at that epoch.",
      () => element,
    ),
    h("div.epoch-bar.card.row", {}, play, h("div.grow", {}, slider), readout),
    parts.charts,
    h("div.two-columns", {}, parts.probeCard, parts.confusionCard),
  );
  const stop = subscribe("epoch", () => {
    Object.assign(state, { curves: null, probes: null, matrix: null });
    show(state, parts, currentRoute().params, open);
  });
  return {
    element,
    show: (params) => show(state, parts, params, open),
    leave: () => {
      stop();
      clearInterval(state.timer);
    },
  };
}

async function show(state, parts, params, open) {
  state.params = params;
  try {
    state.curves ??= await getJson("curves");
  } catch (error) {
    fill(
      parts.charts,
      errorMessage(error, () => show(state, parts, params, open)),
    );
    return;
  }
  const { epochs } = state.curves;
  if (!epochs.length) {
    fill(
      parts.charts,
      h(
        "p.empty",
        {},
        session.run.state === "training"
          ? "The first epoch has not ended yet; this page updates by itself."
          : "No epoch was completed in this run.",
      ),
    );
    return;
  }
  const last = epochs.at(-1).epoch;
  const epoch = Math.max(epochs[0].epoch, Math.min(last, Number(params.epoch) || last));
  Object.assign(parts.slider, { min: epochs[0].epoch, max: last, value: epoch });
  parts.slider.setAttribute("aria-valuetext", `epoch ${epoch} of ${last}`);
  const isSelected = epoch === state.curves.selected;
  fill(
    parts.readout,
    h("b", {}, `Epoch ${epoch}`),
    h("span.muted", {}, ` of ${session.run.epochs_planned ?? last}${isSelected ? ", the selected checkpoint" : ""}`),
  );
  fill(
    parts.charts,
    charts(state.curves, epoch, (at) => open({ epoch: at })),
  );
  const signal = state.signal();
  await Promise.all([
    showConfusion(state, parts.confusionCard, epoch, signal),
    showProbeMaps(state, parts.probeCard, epoch, params, open, signal),
  ]);
  if (!signal.aborted) publish("announce", epochText(epochs.find((one) => one.epoch === epoch)));
}

/**
 * Curves as lines of the chart.
 * @param {{epochs: any[]}} curves
 * @param {string} name of a metric
 * @returns {{name: string, kind: string, points: [number, number][]}[]} one for each split that has it
 */
export function curveLines({ epochs }, name) {
  return ["train", "validation"]
    .map((split) => ({
      name: split,
      kind: split,
      points: epochs.filter((one) => Number.isFinite(one[split]?.[name])).map((one) => [one.epoch, one[split][name]]),
    }))
    .filter((line) => line.points.length);
}

function charts(curves, mark, onPick) {
  const { primary } = session.run;
  const score = curveLines(curves, primary).map((line) => ({
    ...line,
    kind: line.name === "validation" ? "score" : line.kind,
  }));
  const overfit = curves.overfitting
    ? h("p.muted.small", {}, `From epoch ${curves.overfitting} on, the network fits the training images better than the validation images: overfitting.`)
    : null;
  const isFraction = score.every((line) => line.points.every(([, y]) => y >= 0 && y <= 1));
  return [
    h(
      "section.card",
      {},
      h("h2", {}, "Loss"),
      lineChart(curveLines(curves, "loss"), { title: "Loss by epoch", mark, onPick, low: 0 }),
      overfit,
    ),
    h(
      "section.card",
      {},
      h("h2", {}, primary[0].toUpperCase() + primary.slice(1).replaceAll("_", " ")),
      lineChart(score, {
        title: `${primary} by epoch`,
        mark,
        onPick,
        ...(isFraction ? { low: axisMinimum(score), high: 1 } : {}),
      }),
    ),
  ];
}

function axisMinimum(lines) {
  const lowest = Math.min(...lines.flatMap((line) => line.points.map(([, y]) => y)));
  return Math.max(0, Math.floor(10 * lowest - 0.5) / 10);
}

async function showConfusion(state, element, epoch, signal) {
  let title = h("h2", {}, `Confusion matrix at epoch ${epoch}`);
  if (!session.run.views.confusion)
    return fill(
      element,
      title,
      h("p.muted", {}, session.run.unavailable?.confusion ?? "This task has no confusion matrix."),
    );
  try {
    state.matrix ??= await getJson("confusion", { split: "validation" }, signal); // of the selected checkpoint; also lists the epochs with a matrix
    const response = state.matrix.epochs.includes(epoch)
      ? await getJson("confusion", { split: "validation", epoch }, signal)
      : state.matrix;
    if (response.epoch !== epoch)
      title = h("h2", {}, `Confusion matrix of the selected checkpoint, epoch ${response.epoch}`);
    const correct = response.counts.reduce((sum, row, i) => sum + row[i], 0);
    const all = response.counts.flat().reduce((sum, number) => sum + number, 0);
    return fill(
      element,
      title,
      h("p.muted", {}, `${all - correct} of ${all} validation images misclassified.`),
      h(
        "div.scroll",
        {},
        confusionMatrix(response.classes, response.counts, {
          onPick: (truth, predicted) => navigate("confusion", { truth, predicted }),
        }),
      ),
    );
  } catch (error) {
    if (error.name === "AbortError") return undefined;
    return fill(element, title, h("p.muted", {}, error.message));
  }
}

function togglePlay(state, parts, open) {
  if (state.timer) {
    clearInterval(state.timer);
    state.timer = null;
    parts.play.textContent = "Play";
    return;
  }
  parts.play.textContent = "Pause";
  const first = Number(parts.slider.min);
  if (Number(parts.slider.value) >= Number(parts.slider.max)) open({ epoch: first });
  state.timer = setInterval(() => {
    if (Number(parts.slider.value) >= Number(parts.slider.max)) togglePlay(state, parts, open);
    else open({ epoch: Number(parts.slider.value) + 1 });
  }, 700);
}

function epochText(one) {
  const { primary } = session.run;
  const score = one.validation?.[primary];
  return `Epoch ${one.epoch}: ${primary} ${score <= 1 ? formatPercent(score) : formatNumber(score)} on validation`;
}
