/** The pad's tools: ink or eraser or colours, width, clear, undo, shift, turn. */

import { h } from "../lib/dom.js";

const COLOURS = [
  ["#7f7f7f", "grey"],
  ["#000000", "black"],
  ["#ffffff", "white"],
  ["#c8452f", "red"],
  ["#3f8f4f", "green"],
  ["#2f6fc8", "blue"],
];

/**
 * The tools.
 * @param {any} pad
 * @param {any} draw the run's kind of drawing; null: its images are not like drawings, so paint has colours
 * @param {() => void} again ask the network again
 * @param {{centre?: boolean}} held
 * @returns {HTMLElement & {reset: () => void}}
 */
export function tools(pad, draw, again, held) {
  const turn = h("input", { type: "range", min: -180, max: 180, step: 1, value: 0, "aria-label": "Turn, in degrees" });
  const read = h("output.mono", {}, "0°");
  const place = (shift) => {
    read.textContent = `${turn.value}°`;
    pad.place(shift ?? pad.placed().shift, Number(turn.value));
  };
  turn.addEventListener("input", () => place());
  const reset = () => {
    turn.value = 0;
    read.textContent = "0°";
  };
  const clear = h(
    "button",
    {
      type: "button",
      on: {
        click: () => {
          held.base = null;
          reset();
          pad.clear();
        },
      },
    },
    "Clear",
  );
  const element = h(
    "div.stack.unsaved.pad-tools",
    {},
    h(
      "div.row.spread",
      {},
      paints(pad, draw),
      h("div.row.tight", {}, h("button", { type: "button", on: { click: () => pad.undo() } }, "Undo"), clear),
    ),
    h("label.field", {}, "Brush", brush(pad)),
    h(
      "div.row.spread",
      {},
      arrows(pad, place),
      h("label.field.turn", {}, h("span.row.spread", {}, "Turn", read), turn),
    ),
    draw ? centre(held, again) : null,
  );
  element.reset = reset;
  return element;
}

function paints(pad, draw) {
  const all = draw
    ? [
        ["ink", "Pen"],
        ["erase", "Eraser"],
      ]
    : COLOURS;
  const buttons = all.map(([tool, said], i) =>
    h(
      "button",
      {
        type: "button",
        class: draw ? "" : "paint",
        "aria-pressed": String(i === 0),
        "aria-label": draw ? null : `Paint ${said}`,
        title: said,
        style: draw ? {} : { "--paint": tool },
        on: {
          click: (event) => {
            pad.tool(tool);
            for (const other of buttons) other.setAttribute("aria-pressed", String(other === event.currentTarget));
          },
        },
      },
      draw ? said : "",
    ),
  );
  pad.tool(all[0][0]);
  return h("div.row.tight", { role: "group", "aria-label": "Paint" }, buttons);
}

function brush(pad) {
  const size = h("input", { type: "range", min: 0.5, max: 3, step: 0.1, value: 1 });
  size.addEventListener("input", () => pad.size(Number(size.value)));
  return size;
}

function arrows(pad, place) {
  const step = (x, y) => () => {
    const [left, down] = pad.placed().shift;
    place([left + x, down + y]);
  };
  const one = (said, sign, x, y) =>
    h(
      "button.icon",
      { type: "button", "aria-label": `Shift ${said} by a pixel`, title: `Shift ${said}`, on: { click: step(x, y) } },
      sign,
    );
  return h(
    "div.row.tight",
    { role: "group", "aria-label": "Shift" },
    one("left", "←", -1, 0),
    one("up", "↑", 0, -1),
    one("down", "↓", 0, 1),
    one("right", "→", 1, 0),
  );
}

function centre(held, again) {
  const box = h("input", {
    type: "checkbox",
    on: {
      change: () => {
        held.centre = box.checked;
        again();
      },
    },
  });
  held.centre = false;
  return h("label.check.small", {}, box, "Centre and scale it as the training images are");
}
