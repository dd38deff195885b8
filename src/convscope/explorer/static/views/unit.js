/** View: the computation of one unit, from its receptive field in the image to its value. */

import { getJson, isAborted } from "../lib/api.js";
import { errorMessage } from "../widgets/error_message.js";
import { selectField } from "../widgets/select_field.js";
import { viewHeader } from "../widgets/view_header.js";
import { fill, h } from "../lib/dom.js";
import { withTerms } from "../lib/glossary.js";
import { formatNumber, formatPercent } from "../lib/numbers.js";
import { findNode, leaves, layerLabel, mapShape } from "../lib/network_tree.js";
import { navigate, currentRoute, formatRoute } from "../lib/router.js";
import { combinesTerms, highlightTerm, unitTerms } from "../widgets/unit_terms.js";
import { fetchMaps, mapsMaxAbs, peakOf, strongestChannel } from "../lib/feature_maps.js";
import { latestSignal } from "../lib/latest_request.js";
import { mapViewer } from "../widgets/map_viewer.js";
import { className, session, publish } from "../lib/session.js";
import { inputWindows } from "../widgets/input_windows.js";
import { tryGuess } from "../widgets/try_guess.js";
import { tryKernel } from "../widgets/try_kernel.js";

const MAX_TERMS = 512;

/**
 * The view.
 * @param {{sidebar: any}} page
 */
export function unitView({ sidebar }) {
  const state = { params: {}, unit: null, signal: latestSignal() };
  const move = (row, column) => navigate("unit", { ...state.params, row, column }, { quiet: true });
  const map = mapViewer({ name: "Feature map of the unit", onPick: move, pickOnMove: true });
  const chooser = h("div.row.form.no-screenshot");
  const facts = h("div.stack.compact");
  const unitCard = h(
    "section.card.stack",
    {},
    h("h2", {}, "Unit"),
    chooser,
    h("div.side-by-side", {}, map.element, facts),
  );
  const windowCard = h("section.card.stack");
  const [guess, kernel] = [tryGuess(), tryKernel()];
  const termsCard = h("section.card.terms-card");
  const element = h("div.stack", {});
  fill(
    element,
    viewHeader(
      "Unit",
      "Every value in a network is computed from a list of terms. This is the computation of one unit, as the network performed it.",
      () => document.getElementById("layout"),
    ),
    h("div.unit-layout", {}, h("div.stack", {}, unitCard, windowCard, guess.element, kernel.element), termsCard),
  );
  const parts = { sidebar, map, unitCard, chooser, facts, windowCard, termsCard, guess, kernel };
  const redraw = () => {
    if (state.unit) showUnit(state, parts);
    kernel.redraw();
  };
  window.addEventListener("theme", redraw);
  return {
    element,
    show: (params) => show(state, parts, params),
    leave: () => {
      sidebar.showField(null);
      window.removeEventListener("theme", redraw);
    },
  };
}

async function show(state, parts, params) {
  const unnamed = params.layer?.startsWith("@"); // an intermediate result: its terms can be shown, but it has no feature maps
  const node = unnamed
    ? { name: params.layer, shape: [Infinity, Infinity, Infinity] }
    : (findNode(session.network, params.layer ?? "") ?? leaves(session.network.sections)[0]);
  const [total, height, width] = mapShape(node.shape);
  const key = JSON.stringify([params, session.run.network]);
  state.showing = key;
  const [strongest, peak] = unnamed ? [0, [0, 0]] : await strongestPosition(params, node.name, total);
  if (state.showing !== key) return;
  state.params = {
    image: params.image,
    layer: node.name,
    channel: clampedIndex(params.channel, total, strongest),
    row: clampedIndex(params.row, height, peak[0]),
    column: clampedIndex(params.column, width, peak[1]),
  };
  showChooser(state.params, parts.chooser, total);
  const signal = state.signal();
  const { image, layer, channel, row, column } = state.params;
  try {
    const [response, found] = await Promise.all([
      unnamed
        ? null
        : fetchMaps(image, layer, { from: channel, to: channel + 1, values: "float", network: session.run.network }),
      getJson(`inputs/${encodeURIComponent(image)}/unit`, { layer, channel, row, column, most: MAX_TERMS }, signal),
    ]);
    if (signal.aborted) return;
    parts.map.element.hidden = unnamed || height * width === 1;
    if (response) parts.map.show(response.maps[0], mapsMaxAbs(response.maps), row, column);
    state.unit = found;
    showUnit(state, parts);
    publish(
      "announce",
      `${layerLabel(layer)}, channel ${channel}, row ${row}, column ${column}: ${formatNumber(found.value)}`,
    );
  } catch (error) {
    if (isAborted(error)) return;
    parts.sidebar.showField(null);
    fill(parts.windowCard);
    fill(
      parts.termsCard,
      errorMessage(error, () => show(state, parts, currentRoute().params)),
    );
  }
}

/** The channel and position to show where the address names none: the largest output, or the strongest channel's peak. */
async function strongestPosition({ image, channel, row, column }, layer, total) {
  if ([channel, row, column].every((value) => value !== undefined && value !== "")) return [0, [0, 0]];
  const { network } = session.run;
  try {
    if (layer === session.network.output && total <= session.run.classes.length) {
      const { maps } = await fetchMaps(image, layer, { from: 0, to: total, values: "float", network });
      const strongest = maps.reduce((best, map) => (map.high > best.high ? map : best));
      return [strongest.channel, peakOf(strongest)];
    }
    const strongest = channel ? clampedIndex(channel, total, 0) : await strongestChannel(image, layer, network);
    const options = { from: strongest, to: strongest + 1, values: "float", network };
    return [strongest, peakOf((await fetchMaps(image, layer, options)).maps[0])];
  } catch {
    return [0, [0, 0]]; // the error is shown by the request for the unit itself
  }
}

function showUnit(state, { sidebar, facts, windowCard, termsCard, guess, kernel }) {
  const { unit: found, params } = state;
  sidebar.showField(found.field);
  const terms = unitTerms(found, (term) => termLink(params, term));
  const combining = found.steps.find(combinesTerms);
  const highlight = (term) => {
    highlightTerm(terms, term);
    sidebar.showField(found.field, term && term.layer === "input" && !term.padded ? [term.row, term.column] : null);
  };
  const drawing = combining ? inputWindows(combining, highlight) : null;
  const isOutput = params.layer === session.network.output && session.run.classes.length > 0;
  fill(
    termsCard,
    h(
      "div.row.space-between",
      {},
      h(
        "h2",
        {},
        isOutput
          ? `Output for class “${className(params.channel)}”`
          : `Channel ${params.channel} at ${params.row}, ${params.column}`,
      ),
      h("span.muted.small", {}, layerLabel(params.layer)),
    ),
    terms,
  );
  fill(
    facts,
    found.field ? h("p", {}, withTerms(receptiveFieldText(found.field))) : null,
    combining && combining.count > 1 ? h("p", {}, termCountText(combining)) : null,
    combining?.window?.layer === "input" ? h("p.small", {}, normalisationText()) : null,
    h(
      "p.muted.small",
      {},
      "Arrow keys or a click on the map choose another unit. Every term links to the computation of its value.",
    ),
  );
  guess.show(params, Boolean(drawing) && combining.op === "convolution" && !params.layer.startsWith("@"));
  kernel.show(params.image, combining, params.channel);
  windowCard.hidden = !drawing;
  fill(windowCard, h("h2", {}, "Input window"), drawing);
}

function receptiveFieldText([x1, y1, x2, y2]) {
  const area = ((x2 - x1) * (y2 - y1)) / (session.run.input.width * session.run.input.height);
  return `Receptive field: ${y2 - y1} × ${x2 - x1} pixels, ${formatPercent(area)} of the image: rows ${y1} to ${y2 - 1}, columns ${x1} to ${x2 - 1}.`;
}

/** How the pixels became the values of the input. */
function normalisationText() {
  const { mean, std } = session.run.input;
  const formulas = mean.map((one, i) => `(pixel − ${formatNumber(one)}) ÷ ${formatNumber(std[i])}`);
  const channels = formulas.length > 1 ? formulas.map((text, i) => `channel ${i}: ${text}`) : formulas;
  return `Inputs are normalised pixels in [0, 1]: ${channels.join("; ")}.`;
}

function termCountText(step) {
  const from = step.window?.layer ? `, from ${layerLabel(step.window.layer)}` : "";
  const what =
    { "max pool": "values (their maximum)", add: "values (their sum)" }[step.op] ?? "products";
  return `Computed from ${step.count.toLocaleString("en-US")} ${what}${from}.`;
}

function showChooser(params, chooser, total) {
  const options = leaves(session.network.sections).map((node) => [node.name, layerLabel(node.name)]);
  if (!options.some(([name]) => name === params.layer))
    options.unshift([params.layer, `${layerLabel(params.layer)} (whole)`]);
  if (!Number.isFinite(total)) total = params.channel + 1;
  const number = h("input", { type: "number", min: 0, max: total - 1, value: params.channel });
  number.addEventListener("change", () =>
    navigate("unit", { ...params, channel: clampedIndex(number.value, total, 0) }),
  );
  fill(
    chooser,
    selectField("Layer", options, params.layer, (layer) =>
      navigate("unit", { image: params.image, layer, channel: 0 }),
    ),
    h("label.field", {}, `Channel, 0 to ${total - 1}`, number),
    h("a.button", { href: formatRoute("network", params) }, "Show in network"),
  );
}

function termLink(params, term) {
  if (!term.layer || term.layer === "input") return null;
  return formatRoute("unit", {
    image: params.image,
    layer: term.layer,
    channel: term.channel,
    row: term.row,
    column: term.column,
  });
}

function clampedIndex(text, size, fallback) {
  const number = Number(text);
  if (text === undefined || text === null || text === "" || !Number.isInteger(number)) return fallback;
  return Math.max(0, Math.min(size - 1, number));
}
