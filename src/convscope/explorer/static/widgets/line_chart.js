/** A line chart with a movable marker, drawn as SVG. */

import { formatNumber, linearScale, ticks } from "../lib/numbers.js";
import { s } from "../lib/dom.js";

const WIDE = { width: 560, height: 210, left: 46, right: 92, top: 14, bottom: 28 };
const NARROW = { ...WIDE, width: 340, height: 190, right: 74 };

/**
 * The chart.
 * @param {{name: string, kind: string, points: [number, number][]}[]} lines kind: a CSS class
 * @param {{title: string, low?: number, high?: number, mark?: number | null, onPick?: (x: number) => void}} options
 * @returns {SVGElement}
 */
export function lineChart(lines, { title, low, high, mark = null, onPick } = {}) {
  const frame = window.innerWidth < 600 ? NARROW : WIDE;
  const drawn = lines.filter((line) => line.points.length);
  const [x, y, xs, ys] = axes(frame, drawn, low, high);
  const chart = s(
    "svg.chart",
    { viewBox: `0 0 ${frame.width} ${frame.height}`, role: "img", "aria-label": chartLabel(title, drawn) },
    ys.map((value) =>
      s(
        "g.grid",
        {},
        s("line", { x1: frame.left, x2: frame.width - frame.right, y1: y(value), y2: y(value) }),
        s("text.tick.end", { x: frame.left - 8, y: y(value) + 4 }, formatNumber(value)),
      ),
    ),
    xs.map((value) => s("text.tick.middle", { x: x(value), y: frame.height - 8 }, String(value))),
    mark === null
      ? null
      : s("line.marker", { x1: x(mark), x2: x(mark), y1: frame.top - 6, y2: frame.height - frame.bottom }),
    drawn.map((line) =>
      s(
        "g",
        {},
        s("path", { class: `line ${line.kind}`, d: linePath(line.points, x, y) }),
        markedPoint(line, mark, x, y),
      ),
    ),
    lineLabels(frame, drawn, y),
  );
  if (onPick) chart.addEventListener("click", (event) => onPick(nearestX(event, chart, frame, drawn, x)));
  return chart;
}

/**
 * The SVG path of a line.
 * @param {[number, number][]} points
 * @param {(x: number) => number} x
 * @param {(y: number) => number} y
 * @returns {string}
 */
export function linePath(points, x, y) {
  const known = points.filter(([, value]) => Number.isFinite(value));
  return known.map(([at, value], i) => `${i ? "L" : "M"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`).join("");
}

function axes(frame, lines, low, high) {
  const at = lines.flatMap((line) => line.points.map(([x]) => x));
  const values = lines.flatMap((line) => line.points.map(([, y]) => y)).filter(Number.isFinite);
  const [x0, x1] = at.length ? [Math.min(...at), Math.max(...at)] : [0, 1];
  const [y0, y1] = [low ?? Math.min(...values, 0), high ?? Math.max(...values, 0.0001)];
  const x = linearScale([x0, Math.max(x1, x0 + 1)], [frame.left, frame.width - frame.right]);
  const y = linearScale([y0, y1], [frame.height - frame.bottom, frame.top]);
  return [x, y, ticks(x0, Math.max(x1, x0 + 1), 8).filter(Number.isInteger), ticks(y0, y1, 4)];
}

function markedPoint(line, mark, x, y) {
  const point = line.points.find(([at]) => at === mark);
  return point && Number.isFinite(point[1])
    ? s("circle", { class: `dot ${line.kind}`, cx: x(point[0]), cy: y(point[1]), r: 4 })
    : null;
}

function lineLabels(frame, lines, y) {
  const ends = lines.map((line) => ({ line, at: y(line.points.at(-1)[1]) })).sort((a, b) => a.at - b.at);
  let last = -Infinity;
  return ends.map(({ line, at }) => {
    last = Math.max(last + 15, at);
    return s(
      "text",
      { class: `series ${line.kind}`, x: frame.width - frame.right + 8, y: Math.min(last, frame.height - 14) + 4 },
      line.name,
    );
  });
}

function nearestX(event, chart, frame, lines, x) {
  const box = chart.getBoundingClientRect();
  const at = ((event.clientX - box.left) / box.width) * frame.width;
  const known = lines.flatMap((line) => line.points.map(([value]) => value));
  return known.reduce((best, value) => (Math.abs(x(value) - at) < Math.abs(x(best) - at) ? value : best), known[0]);
}

function chartLabel(title, lines) {
  const ends = lines.map((line) => `${line.name} final value ${formatNumber(line.points.at(-1)[1])}`);
  return `${title}: ${ends.join(", ") || "no data"}`;
}
