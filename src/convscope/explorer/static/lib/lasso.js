/** Geometry of the map: what a lasso holds, which point is nearest, which lies in a direction. Pure. */

/**
 * Whether a point lies in a polygon (even-odd rule).
 * @param {[number, number]} point
 * @param {[number, number][]} polygon
 * @returns {boolean}
 */
export function inside([x, y], polygon) {
  let within = false;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i, i += 1) {
    const [xi, yi] = polygon[i];
    const [xj, yj] = polygon[j];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) within = !within;
  }
  return within;
}

/**
 * The nearest of some points.
 * @param {[number, number]} to
 * @param {{x: number, y: number}[]} points
 * @param {number} within no further than this
 * @returns {number} its place, or -1
 */
export function nearest([x, y], points, within = Infinity) {
  let best = -1;
  let least = within * within;
  points.forEach((point, i) => {
    const away = (point.x - x) ** 2 + (point.y - y) ** 2;
    if (away <= least) [best, least] = [i, away];
  });
  return best;
}

/**
 * The point that an arrow key leads to: the nearest within 45 degrees of its direction.
 * @param {{x: number, y: number}[]} points y grows downwards
 * @param {number} from
 * @param {string} key
 * @returns {number} `from` where there is none
 */
export function towards(points, from, key) {
  const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key];
  let best = from;
  let least = Infinity;
  points.forEach((point, i) => {
    const [ax, ay] = [point.x - points[from].x, point.y - points[from].y];
    const along = ax * dx + ay * dy;
    const aside = Math.abs(ax * dy) + Math.abs(ay * dx);
    if (along > 1e-9 && aside <= along && along + 2 * aside < least) [best, least] = [i, along + 2 * aside];
  });
  return best;
}

/**
 * How often each class is among some points, the commonest first.
 * @param {{truth: number | null}[]} points
 * @returns {[number | null, number][]}
 */
export function tally(points) {
  const counts = new Map();
  for (const { truth } of points) counts.set(truth, (counts.get(truth) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]);
}
