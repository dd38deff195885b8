/** One large feature map: a position is chosen with the pointer or arrow keys, and its value is shown. */

import { fill, h, s } from "../lib/dom.js";
import { formatNumber } from "../lib/numbers.js";
import { paintMap } from "../lib/map_painting.js";

/**
 * A feature map with a cursor.
 * @param {{onMove?: (row: number, column: number) => void, onPick: (row: number, column: number) => void, name:
 *   string, pickOnMove?: boolean}} options
 *   onMove: the cursor moved; onPick: click or Enter; pickOnMove: arrow keys pick at once
 * @returns {{element: HTMLElement, show: (map: any, limit: number, row: number, column: number) => void}}
 */
export function mapViewer({ onMove, onPick, name, pickOnMove = false }) {
  const canvas = h("canvas", { "aria-hidden": "true" });
  const crosshair = s("svg.crosshair", { "aria-hidden": "true" });
  const surface = h(
    "div.map-surface",
    { tabindex: 0, role: "application", "aria-roledescription": "map" },
    canvas,
    crosshair,
  );
  const readout = h("p.readout", { "aria-live": "polite" });
  const state = { map: null, row: 0, column: 0 };
  const setCursor = (row, column) => {
    state.row = row;
    state.column = column;
    drawCrosshair(crosshair, state);
    fill(
      readout,
      h("span.muted", {}, `row ${row}, column ${column} `),
      h("b.mono", {}, formatNumber(state.map.values[row * state.map.width + column])),
    );
  };
  const positionAt = (event) => {
    const box = surface.getBoundingClientRect();
    const row = Math.floor(((event.clientY - box.top) / box.height) * state.map.height);
    const column = Math.floor(((event.clientX - box.left) / box.width) * state.map.width);
    return [clamp(row, state.map.height), clamp(column, state.map.width)];
  };
  const moveTo = (row, column) => {
    setCursor(row, column);
    onMove?.(row, column);
  };
  handleInput(surface, state, { positionAt, setCursor, moveTo, onPick, pickOnMove });
  const show = (map, limit, row, column) => {
    state.map = map;
    surface.setAttribute(
      "aria-label",
      `${name}, ${map.height} by ${map.width}. Arrow keys move${pickOnMove ? "" : ", Enter opens the unit"}.`,
    );
    surface.style.setProperty("aspect-ratio", `${map.width} / ${map.height}`);
    paintMap(canvas, map, limit);
    setCursor(clamp(row, map.height), clamp(column, map.width));
  };
  return { element: h("div.map-viewer", {}, surface, readout), show };
}

function handleInput(surface, state, { positionAt, setCursor, moveTo, onPick, pickOnMove }) {
  surface.addEventListener("pointermove", (event) => {
    if (state.map && event.pointerType === "mouse" && !pickOnMove) moveTo(...positionAt(event));
  });
  surface.addEventListener("click", (event) => {
    if (state.map) {
      const position = positionAt(event);
      setCursor(...position);
      onPick(...position);
    }
  });
  surface.addEventListener("keydown", (event) => {
    if (!state.map) return;
    const target = arrowTarget(event, state);
    if (target) {
      event.preventDefault();
      moveTo(...target);
      if (pickOnMove) onPick(...target);
    } else if (event.key === "Enter") onPick(state.row, state.column);
  });
}

/**
 * The position that an arrow key moves to.
 * @param {{key: string, shiftKey?: boolean}} event with Shift, five positions at once
 * @param {{map: {height: number, width: number}, row: number, column: number}} state
 * @returns {[number, number] | null} null for other keys
 */
export function arrowTarget({ key, shiftKey }, { map, row, column }) {
  const distance = shiftKey ? 5 : 1;
  const moves = {
    ArrowUp: [-distance, 0],
    ArrowDown: [distance, 0],
    ArrowLeft: [0, -distance],
    ArrowRight: [0, distance],
  };
  const move = moves[key];
  return move ? [clamp(row + move[0], map.height), clamp(column + move[1], map.width)] : null;
}

function clamp(value, size) {
  return Math.max(0, Math.min(size - 1, value || 0));
}

function drawCrosshair(crosshair, { map, row, column }) {
  const unit = Math.max(map.width, map.height) / 100;
  crosshair.setAttribute("viewBox", `0 0 ${map.width} ${map.height}`);
  fill(
    crosshair,
    s("path.lines", { d: `M0 ${row + 0.5}H${map.width}M${column + 0.5} 0V${map.height}`, "stroke-width": 0.5 * unit }),
    s("rect.selected", { x: column, y: row, width: 1, height: 1, "stroke-width": 1.6 * unit }),
  );
}
