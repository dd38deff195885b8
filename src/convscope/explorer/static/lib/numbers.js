/** Number formatting, axis ticks and linear scales. */

/**
 * A number for display: about four significant figures, a minus sign (not a hyphen), an exponent only if needed.
 * @param {number} value
 * @returns {string}
 */
export function formatNumber(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  const magnitude = Math.abs(value);
  if (magnitude === 0) return "0";
  if (magnitude >= 1e5 || magnitude < 5e-4)
    return value.toExponential(2).replace("-", "−").replace("e+", "e").replace("e-", "e−").replace("e−", "e−");
  const digits = magnitude >= 1000 ? 0 : magnitude >= 100 ? 1 : magnitude >= 10 ? 2 : magnitude >= 0.1 ? 3 : 4;
  return value.toFixed(digits).replace("-", "−");
}

/**
 * A number with its sign.
 * @param {number} value
 * @returns {string}
 */
export function formatSigned(value) {
  return value >= 0 ? `+${formatNumber(value)}` : formatNumber(value);
}

/**
 * A fraction as percent.
 * @param {number} share 0 to 1
 * @returns {string}
 */
export function formatPercent(share) {
  if (share === null || share === undefined || Number.isNaN(share)) return "–";
  if (share > 0 && share < 0.001) return "< 0.1\u00a0%";
  if (share < 1 && share > 0.999) return "> 99.9\u00a0%";
  return `${(100 * share).toFixed(share === 0 || share === 1 ? 0 : 1)}\u00a0%`;
}

/**
 * A count with its noun: `formatCount(1, "image")` is "1 image".
 * @returns {string}
 */
export function formatCount(number, singular, plural = `${singular}s`) {
  return `${number.toLocaleString("en-US")} ${number === 1 ? singular : plural}`;
}

/**
 * Round tick values of an axis.
 * @param {number} low
 * @param {number} high
 * @param {number} [target] approximate number of ticks
 * @returns {number[]} between low and high
 */
export function ticks(low, high, target = 5) {
  if (!(high > low)) return [low];
  const rawStep = (high - low) / target;
  const power = 10 ** Math.floor(Math.log10(rawStep));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rawStep);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/**
 * A linear scale.
 * @param {[number, number]} from
 * @param {[number, number]} to
 * @returns {(value: number) => number}
 */
export function linearScale([a, b], [c, d]) {
  const span = b - a || 1;
  return (value) => c + ((value - a) / span) * (d - c);
}
