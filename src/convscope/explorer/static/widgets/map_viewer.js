/** One map, large: a place on it is chosen with the pointer or the arrow keys, and its value is read. */

import { fill, h, s } from "../lib/dom.js";
import { figure } from "../lib/numbers.js";
import { paint } from "../lib/map_painting.js";

/**
 * A map whose places can be chosen.
 * @param {{onMove?: (row: number, column: number) => void, onPick: (row: number, column: number) => void, name:
 *   string, follows?: boolean}} how
 *   onMove: the pointer or an arrow key is at a place; onPick: it was clicked, or Enter; follows: arrow keys pick at
 * once
 * @returns {{element: HTMLElement, show: (map: any, most: number, row: number, column: number) => void}}
 */
export function pixels({ onMove, onPick, name, follows = false }) {
  const canvas = h("canvas", { "aria-hidden": "true" });
  const cross = s("svg.cross", { "aria-hidden": "true" });
  const pad = h("div.pixels", { tabindex: 0, role: "application", "aria-roledescription": "map" }, canvas, cross);
  const read = h("p.read", { "aria-live": "polite" });
  const held = { map: null, row: 0, column: 0 };
  const at = (row, column) => {
    held.row = row;
    held.column = column;
    mark(cross, held);
    fill(
      read,
      h("span.soft", {}, `row ${row}, column ${column} `),
      h("b.mono", {}, figure(held.map.values[row * held.map.width + column])),
    );
  };
  const from = (event) => {
    const box = pad.getBoundingClientRect();
    const row = Math.floor(((event.clientY - box.top) / box.height) * held.map.height);
    const column = Math.floor(((event.clientX - box.left) / box.width) * held.map.width);
    return [clamp(row, held.map.height), clamp(column, held.map.width)];
  };
  const moveTo = (row, column) => {
    at(row, column);
    onMove?.(row, column);
  };
  listen(pad, held, { from, at, moveTo, onPick, follows });
  const show = (map, most, row, column) => {
    held.map = map;
    pad.setAttribute(
      "aria-label",
      `${name}, ${map.height} by ${map.width}. Arrow keys move${follows ? "" : ", Enter opens the arithmetic"}.`,
    );
    pad.style.setProperty("aspect-ratio", `${map.width} / ${map.height}`);
    paint(canvas, map, most);
    at(clamp(row, map.height), clamp(column, map.width));
  };
  return { element: h("div.mapped", {}, pad, read), show };
}

function listen(pad, held, { from, at, moveTo, onPick, follows }) {
  pad.addEventListener("pointermove", (event) => {
    if (held.map && event.pointerType === "mouse" && !follows) moveTo(...from(event));
  });
  pad.addEventListener("click", (event) => {
    if (held.map) {
      const place = from(event);
      at(...place);
      onPick(...place);
    }
  });
  pad.addEventListener("keydown", (event) => {
    if (!held.map) return;
    const next = step(event, held);
    if (next) {
      event.preventDefault();
      moveTo(...next);
      if (follows) onPick(...next);
    } else if (event.key === "Enter") onPick(held.row, held.column);
  });
}

/**
 * Where an arrow key leads.
 * @param {{key: string, shiftKey?: boolean}} event with shift, five places at once
 * @param {{map: {height: number, width: number}, row: number, column: number}} held
 * @returns {[number, number] | null} null for other keys
 */
export function step({ key, shiftKey }, { map, row, column }) {
  const far = shiftKey ? 5 : 1;
  const moves = { ArrowUp: [-far, 0], ArrowDown: [far, 0], ArrowLeft: [0, -far], ArrowRight: [0, far] };
  const move = moves[key];
  return move ? [clamp(row + move[0], map.height), clamp(column + move[1], map.width)] : null;
}

function clamp(value, size) {
  return Math.max(0, Math.min(size - 1, value || 0));
}

function mark(cross, { map, row, column }) {
  const unit = Math.max(map.width, map.height) / 100;
  cross.setAttribute("viewBox", `0 0 ${map.width} ${map.height}`);
  fill(
    cross,
    s("path.hair", { d: `M0 ${row + 0.5}H${map.width}M${column + 0.5} 0V${map.height}`, "stroke-width": 0.5 * unit }),
    s("rect.chosen", { x: column, y: row, width: 1, height: 1, "stroke-width": 1.6 * unit }),
  );
}
