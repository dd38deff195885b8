/** The answer of the network over an image, beside the label: masks with an opacity, errors only, boxes with labels. */

import { apiUrl } from "../lib/api.js";
import { className, session } from "../lib/session.js";
import { fill, h, s } from "../lib/dom.js";

const SHOWN = [
  ["predicted", "prediction"],
  ["target", "label"],
  ["errors", "errors only"],
  ["none", "image only"],
];
const settings = { shown: "predicted", opacity: 0.55 }; // kept from image to image

/**
 * Layers to put over an image of the network's input, and their controls.
 * @returns {{layers: Element[], controls: HTMLElement, show: (input: any) => void}}
 */
export function answerLayers() {
  const mask = h("img.answer-mask", { alt: "", hidden: true });
  const boxes = s("svg.answer-boxes", { "aria-hidden": "true" });
  const controls = h("div.answer-controls");
  const state = { input: null };
  const redraw = () => draw(state.input, { mask, boxes, controls }, redraw);
  return {
    layers: [mask, boxes],
    controls,
    show: (input) => {
      state.input = input;
      redraw();
    },
  };
}

function draw(input, { mask, boxes, controls }, redraw) {
  const { masks, boxes: found } = input?.answer ?? { masks: {}, boxes: [] };
  drawMask(input, masks, mask);
  drawBoxes(boxes, found);
  fill(controls, masks.predicted ? maskControls(masks, redraw) : null, found.length ? boxLegend(found) : null);
}

function drawMask(input, masks, mask) {
  const shown = settings.shown === "none" || masks[settings.shown] || masks.target ? settings.shown : "predicted";
  mask.hidden = !masks.predicted || shown === "none";
  if (mask.hidden) return mask.removeAttribute("src");
  const version = session.run.network;
  mask.src = apiUrl(`inputs/${encodeURIComponent(input.id)}/mask.png`, { show: shown, version });
  mask.style.setProperty("opacity", String(shown === "errors" ? 0.85 : settings.opacity));
  return undefined;
}

function maskControls(masks, redraw) {
  const choices = SHOWN.filter(([name]) => masks.target || name === "predicted" || name === "none");
  const button = ([name, label]) =>
    h(
      "button",
      {
        type: "button",
        "aria-pressed": String(name === settings.shown),
        on: {
          click: () => {
            settings.shown = name;
            redraw();
          },
        },
      },
      label,
    );
  const opacity = h("input", { type: "range", min: 0.1, max: 1, step: 0.05, value: settings.opacity });
  opacity.addEventListener("change", () => {
    settings.opacity = Number(opacity.value);
    redraw();
  });
  const present = new Set([...masks.predicted, ...(masks.target ?? [])].filter((k) => k && k !== 255));
  return [
    h("div.chips", { role: "group", "aria-label": "Shown over the image" }, choices.map(button)),
    h("label.field", {}, "Opacity", opacity),
    settings.shown === "errors"
      ? h("p.small", {}, h("i.swatch.error-swatch"), "pixels whose class is wrong")
      : h("ul.swatches.small", {}, [...present].sort((a, b) => a - b).map(swatch)),
  ];
}

function swatch(index) {
  return h("li", {}, h("i.swatch", { style: { background: session.run.colors[index] } }), className(index));
}

function drawBoxes(svg, boxes) {
  const { height, width } = session.run.input;
  const unit = Math.max(height, width) / 100;
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  fill(svg, boxes.map((box) => drawBox(box, { height, width, unit })));
}

function drawBox({ label, corners, is_target: isTarget }, { height, width, unit }) {
  const [x1, y1, x2, y2] = corners.map((value, i) => Math.max(0, Math.min(i % 2 ? height : width, value)));
  const kind = isTarget ? "target" : "predicted";
  const size = 6.5 * unit;
  const y = isTarget ? Math.max(size, y1 - 1.5 * unit) : Math.min(height - 1.5 * unit, y2 + size);
  return s(
    "g",
    { class: kind },
    s("rect.edge", { x: x1, y: y1, width: x2 - x1, height: y2 - y1, "stroke-width": 2.6 * unit }),
    s("rect", { x: x1, y: y1, width: x2 - x1, height: y2 - y1, "stroke-width": 1.4 * unit }),
    s("text", { x: Math.min(x1, width - label.length * size * 0.55), y, "font-size": size, "stroke-width": unit }, label),
  );
}

function boxLegend(boxes) {
  const known = boxes.some((box) => box.is_target);
  return h(
    "ul.swatches.small",
    {},
    h("li", {}, h("i.swatch.predicted-swatch"), "prediction"),
    known ? h("li", {}, h("i.swatch.target-swatch"), "label") : h("li.muted", {}, "no box in the data"),
  );
}
