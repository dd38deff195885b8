/** The pad: a picture of the network's size that can be drawn on, painted over, shifted and turned. */

import { fill, h, s } from "../lib/dom.js";

const MOST_UNDONE = 40;

/**
 * The pad.
 * @param {{height: number, width: number, draw: {background: number, ink: number, stroke: number} | null}} kind what
 *   the run's pictures are like
 * @param {() => void} onChange after every change, many times a second while a stroke is drawn
 */
export function pad(kind, onChange) {
  const canvas = h("canvas", { "aria-hidden": "true" });
  const brush = s("svg.brush", { "aria-hidden": "true" });
  const element = surface(canvas, brush);
  const sheet = document.createElement("canvas"); // what was drawn, before it is shifted and turned
  const how = { tool: "ink", size: 1, shift: [0, 0], turn: 0, dense: 1 };
  const held = { kind, canvas, sheet, brush, undone: [], ...how, at: null, down: false, onChange };
  blank(held);
  strokes(element, held);
  keys(element, held);
  return {
    element,
    clear: () => {
      keep(held);
      blank(held);
      render(held);
      onChange();
    },
    load: (image) => {
      load(held, image);
      render(held);
    },
    undo: () => undo(held),
    tool: (tool) => {
      held.tool = tool;
    },
    size: (size) => {
      held.size = size;
      cursor(held);
    },
    place: (shift, turn) => {
      Object.assign(held, { shift, turn });
      render(held);
      onChange();
    },
    placed: () => ({ shift: held.shift, turn: held.turn }),
    picture: () =>
      new Promise((done) => {
        canvas.toBlob(done, "image/png");
      }),
  };
}

/**
 * The brush's width in pixels of the sheet.
 * @param {{height: number, width: number, draw: {stroke: number} | null}} kind
 * @param {number} size times the usual
 * @param {number} dense pixels of the sheet for one of the picture
 * @returns {number}
 */
export function brushWidth({ height, width, draw }, size, dense) {
  return Math.max(1, (draw?.stroke ?? 0.08) * Math.max(height, width) * size) * dense;
}

function surface(...layers) {
  const said = "Drawing pad. Arrow keys move the brush, Space puts it down and up, Control and Z undoes.";
  const named = { role: "application", "aria-roledescription": "drawing pad", "aria-label": said };
  return h("div.pad", { tabindex: 0, ...named }, layers);
}

function blank(held) {
  const { kind, sheet } = held;
  held.dense = kind.draw ? Math.max(1, Math.round(256 / Math.max(kind.height, kind.width))) : 1;
  [sheet.width, sheet.height] = [kind.width * held.dense, kind.height * held.dense];
  const context = sheet.getContext("2d", { willReadFrequently: true });
  context.fillStyle = ground(kind);
  context.fillRect(0, 0, sheet.width, sheet.height);
  Object.assign(held, { shift: [0, 0], turn: 0 });
  render(held);
}

function load(held, image) {
  held.dense = 1; // the picture's own pixels, so that the network sees exactly what training saw
  [held.sheet.width, held.sheet.height] = [image.naturalWidth, image.naturalHeight];
  held.sheet.getContext("2d", { willReadFrequently: true }).drawImage(image, 0, 0);
  Object.assign(held, { shift: [0, 0], turn: 0, undone: [] });
}

function ground(kind) {
  const level = kind.draw ? kind.draw.background : 127;
  return `rgb(${level}, ${level}, ${level})`;
}

function render({ kind, sheet, canvas, shift, turn, dense }) {
  if (canvas.width !== sheet.width || canvas.height !== sheet.height)
    [canvas.width, canvas.height] = [sheet.width, sheet.height];
  const context = canvas.getContext("2d");
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.fillStyle = ground(kind);
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.translate(canvas.width / 2 + shift[0] * dense, canvas.height / 2 + shift[1] * dense);
  context.rotate((turn * Math.PI) / 180);
  context.imageSmoothingEnabled = turn !== 0;
  context.drawImage(sheet, -sheet.width / 2, -sheet.height / 2);
}

function strokes(element, held) {
  element.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    event.preventDefault();
    element.focus();
    element.setPointerCapture(event.pointerId);
    keep(held);
    held.down = true;
    held.at = spot(element, held, event);
    stroke(held, held.at);
  });
  element.addEventListener("pointermove", (event) => {
    if (!held.down) return;
    for (const part of event.getCoalescedEvents?.() ?? [event]) stroke(held, spot(element, held, part));
  });
  const up = () => {
    held.down = false;
  };
  element.addEventListener("pointerup", up);
  element.addEventListener("pointercancel", up);
}

function keys(element, held) {
  const moves = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };
  let pen = false;
  element.addEventListener("focus", () => {
    held.keyed ??= [held.sheet.width / 2, held.sheet.height / 2];
    cursor(held);
  });
  element.addEventListener("blur", () => {
    pen = false;
    fill(held.brush);
  });
  element.addEventListener("keydown", (event) => {
    if (event.key === "z" && (event.ctrlKey || event.metaKey)) return undo(held);
    const move = moves[event.key];
    if (event.key === " ") {
      pen = !pen;
      if (pen) {
        keep(held);
        held.at = held.keyed;
        stroke(held, held.keyed);
      }
    } else if (move) {
      const far = Math.max(held.sheet.width, held.sheet.height) / 24;
      held.keyed = [
        clamp(held.keyed[0] + far * move[0], held.sheet.width),
        clamp(held.keyed[1] + far * move[1], held.sheet.height),
      ];
      if (pen) stroke(held, held.keyed);
    } else return undefined;
    event.preventDefault();
    return cursor(held);
  });
}

function cursor({ brush, keyed, kind, size, dense, sheet }) {
  if (!keyed || !brush.parentElement.matches(":focus-visible")) return fill(brush);
  brush.setAttribute("viewBox", `0 0 ${sheet.width} ${sheet.height}`);
  return fill(
    brush,
    s("circle", {
      cx: keyed[0],
      cy: keyed[1],
      r: brushWidth(kind, size, dense) / 2,
      "stroke-width": sheet.width / 160,
    }),
  );
}

function spot(element, { canvas, shift, turn, dense, sheet }, event) {
  const box = element.getBoundingClientRect();
  const x = ((event.clientX - box.left) / box.width) * canvas.width - canvas.width / 2 - shift[0] * dense;
  const y = ((event.clientY - box.top) / box.height) * canvas.height - canvas.height / 2 - shift[1] * dense;
  const angle = (-turn * Math.PI) / 180;
  return [
    x * Math.cos(angle) - y * Math.sin(angle) + sheet.width / 2,
    x * Math.sin(angle) + y * Math.cos(angle) + sheet.height / 2,
  ];
}

function stroke(held, to) {
  const { kind, sheet, size, dense, tool } = held;
  const context = sheet.getContext("2d", { willReadFrequently: true });
  context.strokeStyle = tint(kind, tool);
  context.lineWidth = brushWidth(kind, size, dense);
  context.lineCap = "round";
  context.beginPath();
  context.moveTo(...held.at);
  context.lineTo(to[0] + 0.01, to[1]);
  context.stroke();
  held.at = to;
  render(held);
  held.onChange();
}

function tint(kind, tool) {
  if (tool === "erase" || !kind.draw) return tool.startsWith("#") ? tool : ground(kind);
  return `rgb(${kind.draw.ink}, ${kind.draw.ink}, ${kind.draw.ink})`;
}

function keep(held) {
  const { sheet } = held;
  held.undone.push({
    image: sheet.getContext("2d", { willReadFrequently: true }).getImageData(0, 0, sheet.width, sheet.height),
    dense: held.dense,
    shift: held.shift,
    turn: held.turn,
  });
  if (held.undone.length > MOST_UNDONE) held.undone.shift();
}

function undo(held) {
  const before = held.undone.pop();
  if (!before) return;
  [held.sheet.width, held.sheet.height] = [before.image.width, before.image.height];
  held.sheet.getContext("2d", { willReadFrequently: true }).putImageData(before.image, 0, 0);
  Object.assign(held, { dense: before.dense, shift: before.shift, turn: before.turn });
  render(held);
  held.onChange();
}

function clamp(value, size) {
  return Math.max(0, Math.min(size, value));
}
