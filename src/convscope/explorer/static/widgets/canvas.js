/** The drawing canvas: an image of the network's input size that can be painted on, shifted and rotated. */

import { fill, h, s } from "../lib/dom.js";

const UNDO_LIMIT = 40;

/**
 * The drawing canvas.
 * @param {{height: number, width: number, draw: {background: number, ink: number, stroke: number} | null}} inputSpec
 *   size of the input; draw: how drawings in the data look, null if they are not drawings
 * @param {() => void} onChange called after every change, many times a second during a stroke
 */
export function drawingCanvas(inputSpec, onChange) {
  const canvas = h("canvas", { "aria-hidden": "true" });
  const cursor = s("svg.brush-cursor", { "aria-hidden": "true" });
  const element = canvasElement(canvas, cursor);
  const source = document.createElement("canvas"); // the drawing before shift and rotation
  const initial = { tool: "ink", size: 1, shift: [0, 0], angle: 0, scale: 1 };
  const state = { inputSpec, canvas, source, cursor, undoStack: [], ...initial, last: null, drawing: false, onChange };
  clear(state);
  handlePointer(element, state);
  handleKeys(element, state);
  return {
    element,
    clear: () => {
      saveUndo(state);
      clear(state);
      render(state);
      onChange();
    },
    load: (image) => {
      loadImage(state, image);
      render(state);
    },
    undo: () => undo(state),
    tool: (tool) => {
      state.tool = tool;
    },
    size: (size) => {
      state.size = size;
      drawCursor(state);
    },
    setTransform: (shift, angle) => {
      Object.assign(state, { shift, angle });
      render(state);
      onChange();
    },
    transform: () => ({ shift: state.shift, angle: state.angle }),
    toBlob: () =>
      new Promise((resolve) => {
        canvas.toBlob(resolve, "image/png");
      }),
  };
}

/**
 * The brush width in pixels of the source canvas.
 * @param {{height: number, width: number, draw: {stroke: number} | null}} inputSpec
 * @param {number} size relative to the default
 * @param {number} scale source pixels per image pixel
 * @returns {number}
 */
export function brushWidth({ height, width, draw }, size, scale) {
  return Math.max(1, (draw?.stroke ?? 0.08) * Math.max(height, width) * size) * scale;
}

function canvasElement(...layers) {
  const label = "Drawing canvas. Arrow keys move the brush, Space lowers and lifts it, Control+Z undoes.";
  const attributes = { role: "application", "aria-roledescription": "drawing canvas", "aria-label": label };
  return h("div.drawing-canvas", { tabindex: 0, ...attributes }, layers);
}

function clear(state) {
  const { inputSpec, source } = state;
  state.scale = inputSpec.draw ? Math.max(1, Math.round(256 / Math.max(inputSpec.height, inputSpec.width))) : 1;
  [source.width, source.height] = [inputSpec.width * state.scale, inputSpec.height * state.scale];
  const context = source.getContext("2d", { willReadFrequently: true });
  context.fillStyle = backgroundColor(inputSpec);
  context.fillRect(0, 0, source.width, source.height);
  Object.assign(state, { shift: [0, 0], angle: 0 });
  render(state);
}

function loadImage(state, image) {
  state.scale = 1; // the image's own pixels, so that the network input equals that of training
  [state.source.width, state.source.height] = [image.naturalWidth, image.naturalHeight];
  state.source.getContext("2d", { willReadFrequently: true }).drawImage(image, 0, 0);
  Object.assign(state, { shift: [0, 0], angle: 0, undoStack: [] });
}

function backgroundColor(inputSpec) {
  const level = inputSpec.draw ? inputSpec.draw.background : 127;
  return `rgb(${level}, ${level}, ${level})`;
}

function render({ inputSpec, source, canvas, shift, angle, scale }) {
  if (canvas.width !== source.width || canvas.height !== source.height)
    [canvas.width, canvas.height] = [source.width, source.height];
  const context = canvas.getContext("2d");
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.fillStyle = backgroundColor(inputSpec);
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.translate(canvas.width / 2 + shift[0] * scale, canvas.height / 2 + shift[1] * scale);
  context.rotate((angle * Math.PI) / 180);
  context.imageSmoothingEnabled = angle !== 0;
  context.drawImage(source, -source.width / 2, -source.height / 2);
}

function handlePointer(element, state) {
  element.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    event.preventDefault();
    element.focus();
    element.setPointerCapture(event.pointerId);
    saveUndo(state);
    state.drawing = true;
    state.last = pointerPosition(element, state, event);
    drawStroke(state, state.last);
  });
  element.addEventListener("pointermove", (event) => {
    if (!state.drawing) return;
    for (const sample of event.getCoalescedEvents?.() ?? [event])
      drawStroke(state, pointerPosition(element, state, sample));
  });
  const release = () => {
    state.drawing = false;
  };
  element.addEventListener("pointerup", release);
  element.addEventListener("pointercancel", release);
}

function handleKeys(element, state) {
  const moves = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };
  let penDown = false;
  element.addEventListener("focus", () => {
    state.keyPosition ??= [state.source.width / 2, state.source.height / 2];
    drawCursor(state);
  });
  element.addEventListener("blur", () => {
    penDown = false;
    fill(state.cursor);
  });
  element.addEventListener("keydown", (event) => {
    if (event.key === "z" && (event.ctrlKey || event.metaKey)) return undo(state);
    const move = moves[event.key];
    if (event.key === " ") {
      penDown = !penDown;
      if (penDown) {
        saveUndo(state);
        state.last = state.keyPosition;
        drawStroke(state, state.keyPosition);
      }
    } else if (move) {
      const distance = Math.max(state.source.width, state.source.height) / 24;
      state.keyPosition = [
        clamp(state.keyPosition[0] + distance * move[0], state.source.width),
        clamp(state.keyPosition[1] + distance * move[1], state.source.height),
      ];
      if (penDown) drawStroke(state, state.keyPosition);
    } else return undefined;
    event.preventDefault();
    return drawCursor(state);
  });
}

function drawCursor({ cursor, keyPosition, inputSpec, size, scale, source }) {
  if (!keyPosition || !cursor.parentElement.matches(":focus-visible")) return fill(cursor);
  cursor.setAttribute("viewBox", `0 0 ${source.width} ${source.height}`);
  return fill(
    cursor,
    s("circle", {
      cx: keyPosition[0],
      cy: keyPosition[1],
      r: brushWidth(inputSpec, size, scale) / 2,
      "stroke-width": source.width / 160,
    }),
  );
}

function pointerPosition(element, { canvas, shift, angle, scale, source }, event) {
  const box = element.getBoundingClientRect();
  const x = ((event.clientX - box.left) / box.width) * canvas.width - canvas.width / 2 - shift[0] * scale;
  const y = ((event.clientY - box.top) / box.height) * canvas.height - canvas.height / 2 - shift[1] * scale;
  const radians = (-angle * Math.PI) / 180;
  return [
    x * Math.cos(radians) - y * Math.sin(radians) + source.width / 2,
    x * Math.sin(radians) + y * Math.cos(radians) + source.height / 2,
  ];
}

function drawStroke(state, to) {
  const { inputSpec, source, size, scale, tool } = state;
  const context = source.getContext("2d", { willReadFrequently: true });
  context.strokeStyle = strokeColor(inputSpec, tool);
  context.lineWidth = brushWidth(inputSpec, size, scale);
  context.lineCap = "round";
  context.beginPath();
  context.moveTo(...state.last);
  context.lineTo(to[0] + 0.01, to[1]);
  context.stroke();
  state.last = to;
  render(state);
  state.onChange();
}

function strokeColor(inputSpec, tool) {
  if (tool === "erase" || !inputSpec.draw) return tool.startsWith("#") ? tool : backgroundColor(inputSpec);
  return `rgb(${inputSpec.draw.ink}, ${inputSpec.draw.ink}, ${inputSpec.draw.ink})`;
}

function saveUndo(state) {
  const { source } = state;
  state.undoStack.push({
    image: source.getContext("2d", { willReadFrequently: true }).getImageData(0, 0, source.width, source.height),
    scale: state.scale,
    shift: state.shift,
    angle: state.angle,
  });
  if (state.undoStack.length > UNDO_LIMIT) state.undoStack.shift();
}

function undo(state) {
  const previous = state.undoStack.pop();
  if (!previous) return;
  [state.source.width, state.source.height] = [previous.image.width, previous.image.height];
  state.source.getContext("2d", { willReadFrequently: true }).putImageData(previous.image, 0, 0);
  Object.assign(state, { scale: previous.scale, shift: previous.shift, angle: previous.angle });
  render(state);
  state.onChange();
}

function clamp(value, size) {
  return Math.max(0, Math.min(size, value));
}
