/** View: the epochs, from the first to the last or the one that is being trained: curves, mistakes and maps at each. */

import { fill, h } from "../lib/dom.js";
import { film } from "../widgets/probe_maps.js";
import { get } from "../lib/api.js";
import { go, here } from "../lib/router.js";
import { lineChart } from "../widgets/line_chart.js";
import { figure, percent } from "../lib/numbers.js";
import { head, trouble } from "../widgets/parts.js";
import { matrix } from "../widgets/confusion_matrix.js";
import { newest } from "../lib/latest_request.js";
import { news, session, tell } from "../lib/session.js";

/**
 * The view.
 */
export function time() {
  const held = {
    curves: null,
    probes: null,
    matrix: null,
    said: {},
    signal: newest(),
    films: new Map(),
    playing: null,
  };
  const slider = h("input", { type: "range", min: 1, step: 1, "aria-label": "Epoch" });
  const read = h("output.epoch");
  const play = h("button", { type: "button" }, "Play");
  const parts = {
    slider,
    read,
    play,
    charts: h("div.two"),
    confused: h("section.card.stack"),
    film: h("section.card.stack"),
  };
  const open = (said) => go("time", { ...here().said, ...said }, { quiet: true });
  slider.addEventListener("input", () => open({ epoch: slider.value }));
  play.addEventListener("click", () => toggle(held, parts, open));
  const element = h("div.stack", {});
  fill(
    element,
    head(
      "Time",
      "How the network came to be, epoch by epoch. The dashed line is the epoch that is shown; the maps are those of the network as it was then.",
      () => element,
    ),
    h("div.ruler.card.row", {}, play, h("div.grow", {}, slider), read),
    parts.charts,
    h("div.two", {}, parts.film, parts.confused),
  );
  const stop = news("epoch", () => {
    Object.assign(held, { curves: null, probes: null, matrix: null });
    show(held, parts, here().said, open);
  });
  return {
    element,
    show: (said) => show(held, parts, said, open),
    leave: () => {
      stop();
      clearInterval(held.playing);
    },
  };
}

async function show(held, parts, said, open) {
  held.said = said;
  try {
    held.curves ??= await get("curves");
  } catch (error) {
    fill(
      parts.charts,
      trouble(error, () => show(held, parts, said, open)),
    );
    return;
  }
  const { epochs } = held.curves;
  if (!epochs.length) {
    fill(
      parts.charts,
      h(
        "p.empty",
        {},
        session.run.state === "training"
          ? "The first epoch is not over yet; this page follows by itself."
          : "No epoch was ever finished in this run.",
      ),
    );
    return;
  }
  const last = epochs.at(-1).epoch;
  const epoch = Math.max(epochs[0].epoch, Math.min(last, Number(said.epoch) || last));
  Object.assign(parts.slider, { min: epochs[0].epoch, max: last, value: epoch });
  parts.slider.setAttribute("aria-valuetext", `epoch ${epoch} of ${last}`);
  const kept = epoch === held.curves.kept;
  fill(
    parts.read,
    h("b", {}, `Epoch ${epoch}`),
    h("span.soft", {}, ` of ${session.run.epochs_planned ?? last}${kept ? ", the one that was kept" : ""}`),
  );
  fill(
    parts.charts,
    charts(held.curves, epoch, (at) => open({ epoch: at })),
  );
  const signal = held.signal();
  await Promise.all([
    confusion(held, parts.confused, epoch, signal),
    film(held, parts.film, epoch, said, open, signal),
  ]);
  if (!signal.aborted) tell("say", inWords(epochs.find((one) => one.epoch === epoch)));
}

/**
 * Curves as lines for the chart.
 * @param {{epochs: any[]}} curves
 * @param {string} name of a number
 * @returns {{name: string, kind: string, points: [number, number][]}[]} one for each set that has it
 */
export function lines({ epochs }, name) {
  return ["train", "validation"]
    .map((set) => ({
      name: set,
      kind: set,
      points: epochs.filter((one) => Number.isFinite(one[set]?.[name])).map((one) => [one.epoch, one[set][name]]),
    }))
    .filter((line) => line.points.length);
}

function charts(curves, mark, onPick) {
  const { primary } = session.run;
  const score = lines(curves, primary).map((line) => ({
    ...line,
    kind: line.name === "validation" ? "score" : line.kind,
  }));
  const overfit = curves.overfitting
    ? h(
        "p.soft.small",
        {},
        `From epoch ${curves.overfitting} on the loss rises on images that were not learned from: overfitting.`,
      )
    : null;
  const share = score.every((line) => line.points.every(([, y]) => y >= 0 && y <= 1));
  return [
    h(
      "section.card",
      {},
      h("h2", {}, "Loss"),
      lineChart(lines(curves, "loss"), { title: "Loss over the epochs", mark, onPick, low: 0 }),
      overfit,
    ),
    h(
      "section.card",
      {},
      h("h2", {}, primary[0].toUpperCase() + primary.slice(1).replaceAll("_", " ")),
      lineChart(score, {
        title: `${primary} over the epochs`,
        mark,
        onPick,
        ...(share ? { low: floor(score), high: 1 } : {}),
      }),
    ),
  ];
}

function floor(lines) {
  const least = Math.min(...lines.flatMap((line) => line.points.map(([, y]) => y)));
  return Math.max(0, Math.floor(10 * least - 0.5) / 10);
}

async function confusion(held, element, epoch, signal) {
  let title = h("h2", {}, `Mistakes as of epoch ${epoch}`);
  if (!session.run.views.confusion)
    return fill(
      element,
      title,
      h("p.soft", {}, session.run.why_not?.confusion ?? "This task has no confusion matrix."),
    );
  try {
    held.matrix ??= await get("confusion", { split: "validation" }, signal); // of the network that was kept; it tells which epochs' are there too
    const answer = held.matrix.epochs.includes(epoch)
      ? await get("confusion", { split: "validation", epoch }, signal)
      : held.matrix;
    if (answer.epoch !== epoch) title = h("h2", {}, `Mistakes of the network that was kept, epoch ${answer.epoch}`);
    const right = answer.counts.reduce((sum, row, i) => sum + row[i], 0);
    const all = answer.counts.flat().reduce((sum, number) => sum + number, 0);
    return fill(
      element,
      title,
      h("p.soft", {}, `${all - right} of ${all} validation images called wrongly.`),
      h(
        "div.scroll",
        {},
        matrix(answer.classes, answer.counts, { onPick: (truth, called) => go("mistakes", { truth, answer: called }) }),
      ),
    );
  } catch (error) {
    if (error.name === "AbortError") return undefined;
    return fill(element, title, h("p.soft", {}, error.message));
  }
}

function toggle(held, parts, open) {
  if (held.playing) {
    clearInterval(held.playing);
    held.playing = null;
    parts.play.textContent = "Play";
    return;
  }
  parts.play.textContent = "Pause";
  const first = Number(parts.slider.min);
  if (Number(parts.slider.value) >= Number(parts.slider.max)) open({ epoch: first });
  held.playing = setInterval(() => {
    if (Number(parts.slider.value) >= Number(parts.slider.max)) toggle(held, parts, open);
    else open({ epoch: Number(parts.slider.value) + 1 });
  }, 700);
}

function inWords(one) {
  const { primary } = session.run;
  const score = one.validation?.[primary];
  return `Epoch ${one.epoch}: ${primary} ${score <= 1 ? percent(score) : figure(score)} on validation`;
}
