/**
 * A scatter map of images at their embedding: zoomed with the wheel, selected with a lasso or the arrow keys.
 */

import { fill, h, s } from "../lib/dom.js";
import { insidePolygon, nearestPoint, nextPoint } from "../lib/lasso.js";
import { apiUrl } from "../lib/api.js";
import { redrawOnThemeChange } from "../lib/theme.js";

const SPRITE_COLUMNS = 32;
const LABEL =
  "Scatter map of the images. Arrow keys move from image to image, plus and minus zoom, Escape clears the selection. " +
  "Draw a lasso with the pointer to select images.";

/**
 * The scatter map.
 * @param {(selected: number[]) => void} onSelect indices in `points`
 * @returns {{element: HTMLElement, show: (points: any[], split: string, side: number) => void, highlight: (classIndex:
 *   number | null) => void, select: (indices: number[]) => void}}
 */
export function scatterMap(onSelect) {
  const canvas = h("canvas", { "aria-hidden": "true" });
  const lasso = s("svg.lasso", { "aria-hidden": "true" });
  const attributes = { role: "application", "aria-roledescription": "map", "aria-label": LABEL };
  const element = h("div.scatter", { tabindex: 0, ...attributes }, canvas, lasso);
  const initial = { zoom: 1, pan: [0, 0], highlighted: null, selected: new Set(), focused: -1 };
  const state = { points: [], sprite: null, side: 24, ...initial, lasso: [], canvas, lassoOverlay: lasso };
  const select = (indices) => {
    state.selected = new Set(indices);
    drawPoints(state, element);
    onSelect(indices);
  };
  handleLasso(element, state, select);
  handleWheel(element, state);
  handleKeys(element, state, select);
  new ResizeObserver(() => drawPoints(state, element)).observe(element);
  redrawOnThemeChange(element, () => drawPoints(state, element));
  return {
    element,
    show: (points, split, side) => showPoints(state, element, points, split, side),
    highlight: (highlighted) => {
      state.highlighted = highlighted;
      drawPoints(state, element);
    },
    select: (indices) => {
      state.selected = new Set(indices);
      drawPoints(state, element);
    },
    zoom: (factor) => {
      zoomAt(state, factor, 0.5, 0.5);
      drawPoints(state, element);
    },
  };
}

/**
 * The colour of a class: distinct for adjacent indices, and never red, which marks misclassified images.
 * @param {number | null} index
 * @returns {string}
 */
export function classColor(index) {
  return index === null ? "gray" : `hsl(${45 + ((index * 166.87 + 130) % 270)} 58% 50%)`;
}

function showPoints(state, element, points, split, side) {
  Object.assign(state, { points, side, sprite: null, selected: new Set(), focused: -1, zoom: 1, pan: [0, 0] });
  const sprite = new Image();
  sprite.addEventListener("load", () => {
    if (state.points === points) {
      state.sprite = sprite;
      drawPoints(state, element);
    }
  });
  sprite.src = apiUrl("sprite.png", { split, side, ids: points.map((point) => point.id.split("-")[1]).join(",") });
  drawPoints(state, element);
}

function screenPositions({ points, zoom, pan }, box) {
  const margin = 28;
  const [w, hh] = [box.width - 2 * margin, box.height - 2 * margin];
  return points.map((point) => ({
    x: margin + (point.x - 0.5 - pan[0]) * zoom * w + w / 2,
    y: margin + (point.y - 0.5 - pan[1]) * zoom * hh + hh / 2,
  }));
}

function drawPoints(state, element) {
  const { canvas, points, sprite, side, zoom, highlighted, selected, focused } = state;
  const box = { width: element.clientWidth, height: element.clientHeight };
  if (!box.width) return;
  const pixelRatio = window.devicePixelRatio || 1;
  [canvas.width, canvas.height] = [box.width * pixelRatio, box.height * pixelRatio];
  const context = canvas.getContext("2d");
  context.setTransform(pixelRatio, 0, 0, pixelRatio, 0, 0);
  context.imageSmoothingEnabled = false;
  const css = getComputedStyle(document.documentElement);
  const accent = css.getPropertyValue("--accent");
  const bad = css.getPropertyValue("--error");
  const size = Math.min(54, Math.max(12, (box.width < 500 ? 13 : 20) * Math.sqrt(zoom)));
  const order = points.map((_, i) => i).sort((a, b) => drawOrder(state, a) - drawOrder(state, b));
  const positions = screenPositions(state, box);
  for (const i of order) {
    const { x, y } = positions[i];
    if (x < -size || y < -size || x > box.width + size || y > box.height + size) continue;
    const dim = (highlighted !== null && points[i].truth !== highlighted) || (selected.size && !selected.has(i));
    context.globalAlpha = dim ? 0.16 : 1;
    const misclassified = points[i].predicted !== null && points[i].predicted !== points[i].truth;
    context.fillStyle = classColor(points[i].truth);
    context.fillRect(x - size / 2 - 2, y - size / 2 - 2, size + 4, size + 4);
    if (sprite)
      context.drawImage(
        sprite,
        (i % SPRITE_COLUMNS) * side,
        Math.floor(i / SPRITE_COLUMNS) * side,
        side,
        side,
        x - size / 2,
        y - size / 2,
        size,
        size,
      );
    if (misclassified) drawErrorCorner(context, x + size / 2 + 2, y - size / 2 - 2, size * 0.45, bad);
    if (i === focused || (selected.size === 1 && selected.has(i))) drawOutline(context, x, y, size, accent);
  }
  context.globalAlpha = 1;
}

function drawOrder({ selected, focused, highlighted, points }, i) {
  return (
    (i === focused ? 4 : 0) +
    (selected.has(i) ? 2 : 0) +
    (highlighted !== null && points[i].truth === highlighted ? 1 : 0)
  );
}

function drawErrorCorner(context, x, y, size, color) {
  context.fillStyle = color;
  context.beginPath();
  context.moveTo(x - size, y);
  context.lineTo(x, y);
  context.lineTo(x, y + size);
  context.fill();
}

function drawOutline(context, x, y, size, color) {
  context.strokeStyle = color;
  context.lineWidth = 3;
  context.strokeRect(x - size / 2 - 4, y - size / 2 - 4, size + 8, size + 8);
}

function handleLasso(element, state, select) {
  const localPoint = (event) => {
    const box = element.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  element.addEventListener("pointerdown", (event) => {
    if (event.button || !state.points.length) return;
    element.setPointerCapture(event.pointerId);
    state.lasso = [localPoint(event)];
    state.dragging = event.shiftKey ? { pan: state.pan, from: localPoint(event) } : null;
  });
  element.addEventListener("pointermove", (event) => {
    if (!state.lasso.length) return;
    if (state.dragging) return panTo(state, element, localPoint(event));
    state.lasso.push(localPoint(event));
    drawLasso(state, element);
  });
  element.addEventListener("pointerup", (event) => {
    const polygon = state.lasso;
    const dragged = state.dragging;
    Object.assign(state, { lasso: [], dragging: null });
    fill(state.lassoOverlay);
    if (!polygon.length || dragged) return;
    const positions = screenPositions(state, { width: element.clientWidth, height: element.clientHeight });
    const isClick = polygon.every(([x, y]) => Math.hypot(x - polygon[0][0], y - polygon[0][1]) < 6);
    const clicked = nearestPoint(localPoint(event), positions, 26);
    if (isClick) select(clicked < 0 ? [] : [clicked]);
    else select(positions.flatMap((position, i) => (insidePolygon([position.x, position.y], polygon) ? [i] : [])));
  });
}

function drawLasso({ lasso: polygon, lassoOverlay }, element) {
  lassoOverlay.setAttribute("viewBox", `0 0 ${element.clientWidth} ${element.clientHeight}`);
  fill(
    lassoOverlay,
    s("path", {
      d: `M${polygon.map((point) => point.map((coordinate) => coordinate.toFixed(0)).join(" ")).join("L")}Z`,
    }),
  );
}

function panTo(state, element, [x, y]) {
  const { pan: before, from } = state.dragging;
  state.pan = [
    before[0] - (x - from[0]) / element.clientWidth / state.zoom,
    before[1] - (y - from[1]) / element.clientHeight / state.zoom,
  ];
  drawPoints(state, element);
}

function handleWheel(element, state) {
  element.addEventListener(
    "wheel",
    (event) => {
      if (!state.points.length || !(event.ctrlKey || event.metaKey || document.activeElement === element)) return;
      event.preventDefault();
      const box = element.getBoundingClientRect();
      zoomAt(
        state,
        event.deltaY < 0 ? 1.2 : 1 / 1.2,
        (event.clientX - box.left) / box.width,
        (event.clientY - box.top) / box.height,
      );
      drawPoints(state, element);
    },
    { passive: false },
  );
}

function zoomAt(state, factor, x, y) {
  const next = Math.max(1, Math.min(24, state.zoom * factor));
  const keep = 1 / state.zoom - 1 / next;
  state.pan = [state.pan[0] + (x - 0.5) * keep, state.pan[1] + (y - 0.5) * keep];
  state.zoom = next;
  if (next === 1) state.pan = [0, 0];
}

function handleKeys(element, state, select) {
  element.addEventListener("keydown", (event) => {
    if (!state.points.length) return;
    if (event.key === "+" || event.key === "-") zoomAt(state, event.key === "+" ? 1.4 : 1 / 1.4, 0.5, 0.5);
    else if (event.key === "Escape") select([]);
    else if (event.key.startsWith("Arrow")) {
      state.focused =
        state.focused < 0 ? nearestPoint([0.5, 0.5], state.points) : nextPoint(state.points, state.focused, event.key);
      select([state.focused]);
    } else return;
    event.preventDefault();
    drawPoints(state, element);
  });
}
