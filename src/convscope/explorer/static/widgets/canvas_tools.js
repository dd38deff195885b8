/** Tools of the drawing canvas: pen, eraser or colours, brush size, clear, undo, shift, rotate. */

import { h } from "../lib/dom.js";

const COLORS = [
  ["#7f7f7f", "grey"],
  ["#000000", "black"],
  ["#ffffff", "white"],
  ["#c8452f", "red"],
  ["#3f8f4f", "green"],
  ["#2f6fc8", "blue"],
];

/**
 * The tools.
 * @param {any} canvas from `drawingCanvas`
 * @param {any} draw how drawings in the data look; null if they are not drawings, and paint has colours
 * @param {() => void} onChange called when the network should predict again
 * @param {{center?: boolean, base?: string | null}} state
 * @returns {HTMLElement & {reset: () => void}}
 */
export function canvasTools(canvas, draw, onChange, state) {
  const angle = h("input", {
    type: "range",
    min: -180,
    max: 180,
    step: 1,
    value: 0,
    "aria-label": "Rotation in degrees",
  });
  const angleOutput = h("output.mono", {}, "0°");
  const applyTransform = (shift) => {
    angleOutput.textContent = `${angle.value}°`;
    canvas.setTransform(shift ?? canvas.transform().shift, Number(angle.value));
  };
  angle.addEventListener("input", () => applyTransform());
  const reset = () => {
    angle.value = 0;
    angleOutput.textContent = "0°";
  };
  const clear = h(
    "button",
    {
      type: "button",
      on: {
        click: () => {
          state.base = null;
          reset();
          canvas.clear();
        },
      },
    },
    "Clear",
  );
  const element = h(
    "div.stack.no-screenshot.canvas-tools",
    {},
    h(
      "div.row.space-between",
      {},
      paintButtons(canvas, draw),
      h("div.row.tight", {}, h("button", { type: "button", on: { click: () => canvas.undo() } }, "Undo"), clear),
    ),
    h("label.field", {}, "Brush", brushSizeField(canvas)),
    h(
      "div.row.space-between",
      {},
      shiftButtons(canvas, applyTransform),
      h("label.field.rotation", {}, h("span.row.space-between", {}, "Rotate", angleOutput), angle),
    ),
    draw ? centerField(state, onChange) : null,
  );
  element.reset = reset;
  return element;
}

function paintButtons(canvas, draw) {
  const choices = draw
    ? [
        ["ink", "Pen"],
        ["erase", "Eraser"],
      ]
    : COLORS;
  const buttons = choices.map(([tool, label], i) =>
    h(
      "button",
      {
        type: "button",
        class: draw ? "" : "paint",
        "aria-pressed": String(i === 0),
        "aria-label": draw ? null : `Paint ${label}`,
        title: label,
        style: draw ? {} : { "--paint": tool },
        on: {
          click: (event) => {
            canvas.tool(tool);
            for (const other of buttons) other.setAttribute("aria-pressed", String(other === event.currentTarget));
          },
        },
      },
      draw ? label : "",
    ),
  );
  canvas.tool(choices[0][0]);
  return h("div.row.tight", { role: "group", "aria-label": "Colour" }, buttons);
}

function brushSizeField(canvas) {
  const size = h("input", { type: "range", min: 0.5, max: 3, step: 0.1, value: 1 });
  size.addEventListener("input", () => canvas.size(Number(size.value)));
  return size;
}

function shiftButtons(canvas, applyTransform) {
  const step = (x, y) => () => {
    const [left, down] = canvas.transform().shift;
    applyTransform([left + x, down + y]);
  };
  const button = (label, symbol, x, y) =>
    h(
      "button.icon",
      {
        type: "button",
        "aria-label": `Shift ${label} by one pixel`,
        title: `Shift ${label}`,
        on: { click: step(x, y) },
      },
      symbol,
    );
  return h(
    "div.row.tight",
    { role: "group", "aria-label": "Shift" },
    button("left", "←", -1, 0),
    button("up", "↑", 0, -1),
    button("down", "↓", 0, 1),
    button("right", "→", 1, 0),
  );
}

function centerField(state, onChange) {
  const box = h("input", {
    type: "checkbox",
    on: {
      change: () => {
        state.center = box.checked;
        onChange();
      },
    },
  });
  state.center = false;
  return h("label.check.small", {}, box, "Centre and scale like the training images");
}
