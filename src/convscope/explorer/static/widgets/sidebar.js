/** The sidebar: the current image, its prediction, and the receptive field of the current unit. */

import { getJson, isAborted } from "../lib/api.js";
import { predictionText, classScores } from "./class_scores.js";
import { answerDetails } from "./answer_details.js";
import { answerLayers } from "./answer_layers.js";
import { errorMessage } from "./error_message.js";
import { className, session, publish } from "../lib/session.js";
import { fill, h, s } from "../lib/dom.js";
import { latestSignal } from "../lib/latest_request.js";
import { formatRoute } from "../lib/router.js";

const nextSignal = latestSignal();

/**
 * The sidebar.
 * @param {HTMLElement} element
 * @param {(id: string) => void} onPick
 * @returns {{show: (id: string) => Promise<void>, showField: (box: number[] | null, pixel?: [number, number] | null) =>
 *   void}}
 */
export function sidebar(element, onPick) {
  const overlay = s("svg.field-overlay", { "aria-hidden": "true" });
  const picture = h("img.image", { alt: "", width: 256, height: 256 });
  for (const [event, shown] of [
    ["error", "hidden"],
    ["load", "visible"],
  ]) {
    picture.addEventListener(event, () => picture.style.setProperty("visibility", shown));
  }
  const prediction = h("div.scores.stack");
  const answer = answerLayers();
  const veil = veilSwitch(overlay);
  const state = { shown: "", key: "" };
  fill(
    element,
    h(
      "div.sticky.stack",
      {},
      h("figure.current-image", {}, h("div.image-frame", {}, picture, answer.layers, overlay), h("figcaption", {})),
      answer.controls,
      veil.label,
      prediction,
      stepButtons(state, onPick),
    ),
  );
  const caption = element.querySelector("figcaption");
  return {
    show: (id) => showImage(state, id, { picture, caption, prediction, answer }),
    showField: (box, pixel = null) => {
      veil.label.hidden = !box;
      drawReceptiveField(overlay, box, pixel);
    },
  };
}

/** A switch that darkens the image outside the receptive field; off, since a photograph is then hardly visible. */
function veilSwitch(overlay) {
  const box = h("input", { type: "checkbox" });
  box.addEventListener("change", () => overlay.classList.toggle("veiled", box.checked));
  return { label: h("label.check.small.no-screenshot", { hidden: true }, box, "darken all but the receptive field") };
}

/**
 * The first validation image, or training image if there is none.
 * @returns {string} its id
 */
export function firstImage() {
  return session.run.splits.validation ? "validation-0" : "train-0";
}

/**
 * The previous or next image of the same split.
 * @param {string} id
 * @param {number} step
 * @param {Object<string, number>} splits number of images per split
 * @returns {string | null} null if the image is in no split
 */
export function neighborImage(id, step, splits) {
  const match = /^(train|validation)-(\d+)$/.exec(id);
  if (!match || !splits[match[1]]) return null;
  const total = splits[match[1]];
  return `${match[1]}-${(Number(match[2]) + step + total) % total}`;
}

async function showImage(state, id, { picture, caption, prediction, answer }) {
  const key = `${id} ${session.run.network}`;
  state.shown = id;
  if (state.key === key) return;
  state.key = key;
  picture.src = `/api/images/${encodeURIComponent(id)}/picture.png`;
  try {
    const input = await getJson(`inputs/${encodeURIComponent(id)}`, {}, nextSignal());
    const truth = input.truth === null ? "" : `label: ${className(input.truth)}`;
    picture.alt = `Image ${input.name}`;
    fill(caption, h("b", {}, input.name), truth ? h("span", { class: isMistake(input) ? "mistake" : "muted" }, truth) : null);
    answer.show(input);
    fill(prediction, answerDetails(input.answer), input.answer.numbers.length ? null : classScores(input));
    publish("announce", `${input.name}${truth ? `, ${truth}` : ""}. Predicted: ${predictionText(input)}`);
  } catch (error) {
    if (isAborted(error)) return;
    state.key = "";
    picture.alt = "";
    answer.show(null);
    fill(caption);
    fill(prediction, errorMessage(error));
  }
}

function isMistake({ scores, truth }) {
  return session.run.views.confusion && scores.length > 0 && truth !== null && scores[0].class !== truth;
}

function stepButtons(state, onPick) {
  const step = (by) => () => {
    const next = neighborImage(state.shown, by, session.run.splits);
    onPick(next ?? firstImage());
  };
  const random = () => {
    const split = session.run.splits.validation ? "validation" : "train";
    onPick(`${split}-${Math.floor(Math.random() * session.run.splits[split])}`);
  };
  const open = h("a.button", { href: "#/input" }, "Choose or draw");
  open.addEventListener("click", () => {
    open.href = formatRoute("input", { image: state.shown });
  });
  return h(
    "div.row.tight.no-screenshot",
    {},
    h(
      "button",
      { type: "button", "aria-label": "Previous image", title: "Previous image", on: { click: step(-1) } },
      "‹",
    ),
    h("button", { type: "button", "aria-label": "Next image", title: "Next image", on: { click: step(1) } }, "›"),
    h("button", { type: "button", "aria-label": "Random image", title: "Random image", on: { click: random } }, "⚂"),
    open,
  );
}

function drawReceptiveField(overlay, box, pixel) {
  const { height, width } = session.run.input;
  overlay.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const unit = Math.max(height, width) / 100;
  if (!box) return fill(overlay);
  const [x1, y1, x2, y2] = box;
  const left = Math.max(0, x1);
  const top = Math.max(0, y1);
  const inner = {
    x: left,
    y: top,
    width: Math.max(0, Math.min(width, x2) - left),
    height: Math.max(0, Math.min(height, y2) - top),
  };
  const mask = `M0 0H${width}V${height}H0ZM${inner.x} ${inner.y}v${inner.height}h${inner.width}v${-inner.height}Z`;
  return fill(
    overlay,
    s("path.mask", { d: mask }),
    s("rect.field-box", { ...inner, "stroke-width": 1.4 * unit }),
    pixel ? s("rect.pixel", { x: pixel[1], y: pixel[0], width: 1, height: 1, "stroke-width": unit }) : null,
  );
}
