/** View: the epochs, from the first to the last or the one that is being trained: curves, mistakes and maps at each. */

import { awaited, choice, head, thumbs, trouble } from "./parts.js";
import { bytes, get } from "./api.js";
import { className, news, session, tell } from "./session.js";
import { decode, most } from "./maps.js";
import { fill, h } from "./dom.js";
import { go, here } from "./address.js";
import { lineChart } from "./line_chart.js";
import { figure, percent } from "./numbers.js";
import { matrix } from "./matrix.js";
import { newest } from "./latest.js";
import { refresh, roving } from "./roving.js";
import { spoken } from "./network.js";
import { tile } from "./tiles.js";

/**
 * The view.
 */
export function time() {
  const held = { curves: null, probes: null, matrix: null, said: {}, signal: newest(), films: new Map(), playing: null };
  const slider = h("input", { type: "range", min: 1, step: 1, "aria-label": "Epoch" });
  const read = h("output.epoch");
  const play = h("button", { type: "button" }, "Play");
  const parts = { slider, read, play, charts: h("div.two"), confused: h("section.card.stack"), film: h("section.card.stack") };
  const open = (said) => go("time", { ...here().said, ...said }, { quiet: true });
  slider.addEventListener("input", () => open({ epoch: slider.value }));
  play.addEventListener("click", () => toggle(held, parts, open));
  const element = h("div.stack", {});
  fill(element, head("Time", "How the network came to be, epoch by epoch. The dashed line is the epoch that is shown; the maps are those of the network as it was then.", () => element),
    h("div.ruler.card.row", {}, play, h("div.grow", {}, slider), read), parts.charts, h("div.two", {}, parts.film, parts.confused));
  const stop = news("epoch", () => {
    Object.assign(held, { curves: null, probes: null, matrix: null });
    show(held, parts, here().said, open);
  });
  return { element, show: (said) => show(held, parts, said, open), leave: () => { stop(); clearInterval(held.playing); } };
}

async function show(held, parts, said, open) {
  held.said = said;
  try {
    held.curves ??= await get("curves");
  } catch (error) {
    fill(parts.charts, trouble(error, () => show(held, parts, said, open)));
    return;
  }
  const { epochs } = held.curves;
  if (!epochs.length) {
    fill(parts.charts, h("p.empty", {}, session.run.state === "training" ? "The first epoch is not over yet; this page follows by itself." : "No epoch was ever finished in this run."));
    return;
  }
  const last = epochs.at(-1).epoch;
  const epoch = Math.max(epochs[0].epoch, Math.min(last, Number(said.epoch) || last));
  Object.assign(parts.slider, { min: epochs[0].epoch, max: last, value: epoch });
  parts.slider.setAttribute("aria-valuetext", `epoch ${epoch} of ${last}`);
  const kept = epoch === held.curves.kept;
  fill(parts.read, h("b", {}, `Epoch ${epoch}`), h("span.soft", {}, ` of ${session.run.epochs_planned ?? last}${kept ? ", the one that was kept" : ""}`));
  fill(parts.charts, charts(held.curves, epoch, (at) => open({ epoch: at })));
  const signal = held.signal();
  await Promise.all([confusion(held, parts.confused, epoch, signal), film(held, parts.film, epoch, said, open, signal)]);
  if (!signal.aborted) tell("say", inWords(epochs.find((one) => one.epoch === epoch)));
}

/**
 * Curves as lines for the chart.
 * @param {{epochs: any[]}} curves
 * @param {string} name of a number
 * @returns {{name: string, kind: string, points: [number, number][]}[]} one for each set that has it
 */
export function lines({ epochs }, name) {
  return ["train", "validation"].map((set) => ({
    name: set, kind: set, points: epochs.filter((one) => Number.isFinite(one[set]?.[name])).map((one) => [one.epoch, one[set][name]]),
  })).filter((line) => line.points.length);
}

function charts(curves, mark, onPick) {
  const { primary } = session.run;
  const score = lines(curves, primary).map((line) => ({ ...line, kind: line.name === "validation" ? "score" : line.kind }));
  const overfit = curves.overfitting ? h("p.soft.small", {}, `From epoch ${curves.overfitting} on the loss rises on images that were not learned from: overfitting.`) : null;
  const share = score.every((line) => line.points.every(([, y]) => y >= 0 && y <= 1));
  return [h("section.card", {}, h("h2", {}, "Loss"), lineChart(lines(curves, "loss"), { title: "Loss over the epochs", mark, onPick, low: 0 }), overfit),
    h("section.card", {}, h("h2", {}, primary[0].toUpperCase() + primary.slice(1).replaceAll("_", " ")),
      lineChart(score, { title: `${primary} over the epochs`, mark, onPick, ...(share ? { low: floor(score), high: 1 } : {}) }))];
}

function floor(lines) {
  const least = Math.min(...lines.flatMap((line) => line.points.map(([, y]) => y)));
  return Math.max(0, Math.floor(10 * least - 0.5) / 10);
}

async function confusion(held, element, epoch, signal) {
  let title = h("h2", {}, `Mistakes as of epoch ${epoch}`);
  if (!session.run.views.confusion) return fill(element, title, h("p.soft", {}, session.run.why_not?.confusion ?? "This task has no confusion matrix."));
  try {
    held.matrix ??= await get("confusion", { split: "validation" }, signal); // of the network that was kept; it tells which epochs' are there too
    const answer = held.matrix.epochs.includes(epoch) ? await get("confusion", { split: "validation", epoch }, signal) : held.matrix;
    if (answer.epoch !== epoch) title = h("h2", {}, `Mistakes of the network that was kept, epoch ${answer.epoch}`);
    const right = answer.counts.reduce((sum, row, i) => sum + row[i], 0);
    const all = answer.counts.flat().reduce((sum, number) => sum + number, 0);
    return fill(element, title, h("p.soft", {}, `${all - right} of ${all} validation images called wrongly.`),
      h("div.scroll", {}, matrix(answer.classes, answer.counts, { onPick: (truth, called) => go("mistakes", { truth, answer: called }) })));
  } catch (error) {
    if (error.name === "AbortError") return undefined;
    return fill(element, title, h("p.soft", {}, error.message));
  }
}

async function film(held, element, epoch, said, open, signal) {
  const title = h("h2", {}, `What it made of a picture at epoch ${epoch}`);
  if (!session.run.views.probes) return fill(element, title, h("p.soft", {}, session.run.why_not?.probes ?? "No maps were kept while this network trained."));
  try {
    held.probes ??= await get("probes");
  } catch (error) {
    return fill(element, title, h("p.soft", {}, error.message));
  }
  const { images, layers, note } = held.probes;
  const probe = Math.max(0, Math.min(images.length - 1, Number(said.probe) || 0));
  const layer = layers.find((one) => one.layer === said.film) ?? layers[0];
  const near = layer.epochs.reduce((best, at) => (Math.abs(at - epoch) < Math.abs(best - epoch) ? at : best), layer.epochs[0]);
  const shown = await frame(held, layer.layer, probe, near).catch((error) => error);
  if (signal.aborted) return undefined;
  if (shown instanceof Error) return fill(element, title, trouble(shown));
  const focused = element.contains(document.activeElement) ? document.activeElement.dataset.id : null;
  fill(element, title, h("div.row", {}, choice("Layer", layers.map((one) => [one.layer, spoken(one.layer)]), layer.layer, (value) => open({ film: value }))),
    thumbs(images, { onPick: (image) => open({ probe: images.indexOf(image) }), chosen: images[probe].id, line: (image) => className(image.truth) }),
    roving(h("div.tiles.film", { role: "group", "aria-label": `Channels of ${layer.layer} at epoch ${near}` }, shown.maps.map((map) => channel(map, shown, layer.layer, images[probe])))),
    h("p.soft.small", {}, `${near === epoch ? "" : `The nearest epoch that was kept is ${near}. `}${note}`));
  if (focused) element.querySelector(`[data-id="${CSS.escape(focused)}"]`)?.focus();
  return refresh(element.querySelector(".film"));
}

function channel(map, shown, layer, image) {
  const place = shown.maps.indexOf(map);
  const range = shown.scale?.[place] ?? [map.low, map.high];
  const scale = Math.max(Math.abs(range[0]), Math.abs(range[1]), 0) || most([map]);
  return h("button.tile", {
    type: "button", "aria-label": `Channel ${map.channel}, from ${figure(map.low)} to ${figure(map.high)}`,
    on: { click: () => go("landscape", { image: image.id, layer, channel: map.channel }) },
  }, tile(map, scale), h("span", {}, map.channel));
}

function frame(held, layer, probe, epoch) {
  const key = `${layer} ${probe} ${epoch}`;
  if (!held.films.has(key)) held.films.set(key, bytes("probes/maps", { layer, probe, epoch }).then(decode));
  return held.films.get(key);
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
