/** Point geometry for the scatter map: points in a lasso, the nearest point, the next point in a direction. */

/**
 * Whether a point is inside a polygon (even-odd rule).
 * @param {[number, number]} point
 * @param {[number, number][]} polygon
 * @returns {boolean}
 */
export function insidePolygon([x, y], polygon) {
  let within = false;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i, i += 1) {
    const [xi, yi] = polygon[i];
    const [xj, yj] = polygon[j];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) within = !within;
  }
  return within;
}

/**
 * The point nearest to a position.
 * @param {[number, number]} to
 * @param {{x: number, y: number}[]} points
 * @param {number} within maximum distance
 * @returns {number} its index, or -1
 */
export function nearestPoint([x, y], points, within = Infinity) {
  let best = -1;
  let smallest = within * within;
  points.forEach((point, i) => {
    const distance = (point.x - x) ** 2 + (point.y - y) ** 2;
    if (distance <= smallest) [best, smallest] = [i, distance];
  });
  return best;
}

/**
 * The point that an arrow key selects: the nearest within 45 degrees of its direction.
 * @param {{x: number, y: number}[]} points y grows downwards
 * @param {number} from
 * @param {string} key
 * @returns {number} `from` if there is none
 */
export function nextPoint(points, from, key) {
  const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key];
  let best = from;
  let smallest = Infinity;
  points.forEach((point, i) => {
    const [ax, ay] = [point.x - points[from].x, point.y - points[from].y];
    const alongAxis = ax * dx + ay * dy;
    const offAxis = Math.abs(ax * dy) + Math.abs(ay * dx);
    if (alongAxis > 1e-9 && offAxis <= alongAxis && alongAxis + 2 * offAxis < smallest)
      [best, smallest] = [i, alongAxis + 2 * offAxis];
  });
  return best;
}

/**
 * The number of points per class, most frequent first.
 * @param {{truth: number | null}[]} points
 * @returns {[number | null, number][]}
 */
export function classCounts(points) {
  const counts = new Map();
  for (const { truth } of points) counts.set(truth, (counts.get(truth) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]);
}
