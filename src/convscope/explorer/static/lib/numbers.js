/** Numbers in words and figures, the same way everywhere. */

/**
 * A number as a person reads it: about four significant figures, a true minus, no exponent unless needed.
 * @param {number} value
 * @returns {string}
 */
export function figure(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size >= 1e5 || size < 5e-4)
    return value.toExponential(2).replace("-", "−").replace("e+", "e").replace("e-", "e−").replace("e−", "e−");
  const digits = size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : size >= 0.1 ? 3 : 4;
  return value.toFixed(digits).replace("-", "−");
}

/**
 * A number with its sign, for sums.
 * @param {number} value
 * @returns {string}
 */
export function signed(value) {
  return value >= 0 ? `+${figure(value)}` : figure(value);
}

/**
 * A share as percent.
 * @param {number} share of 1
 * @returns {string}
 */
export function percent(share) {
  if (share === null || share === undefined || Number.isNaN(share)) return "–";
  if (share > 0 && share < 0.001) return "< 0.1\u00a0%";
  if (share < 1 && share > 0.999) return "> 99.9\u00a0%";
  return `${(100 * share).toFixed(share === 0 || share === 1 ? 0 : 1)}\u00a0%`;
}

/**
 * A count with its thing: `count(1, "image")` is "1 image".
 * @returns {string}
 */
export function count(number, one, many = `${one}s`) {
  return `${number.toLocaleString("en-US")} ${number === 1 ? one : many}`;
}

/**
 * Round values of an axis.
 * @param {number} low
 * @param {number} high
 * @param {number} [about] how many are wanted
 * @returns {number[]} between low and high, ends included where they are round
 */
export function ticks(low, high, about = 5) {
  if (!(high > low)) return [low];
  const rough = (high - low) / about;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((times) => times * power >= rough);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/**
 * A straight scale.
 * @param {[number, number]} from
 * @param {[number, number]} to
 * @returns {(value: number) => number}
 */
export function linear([a, b], [c, d]) {
  const span = b - a || 1;
  return (value) => c + ((value - a) / span) * (d - c);
}

/**
 * The places of the largest values.
 * @param {ArrayLike<number>} values
 * @param {number} most how many
 * @returns {number[]} largest first
 */
export function top(values, most) {
  return Array.from(values, (_, i) => i)
    .sort((a, b) => values[b] - values[a])
    .slice(0, most);
}
