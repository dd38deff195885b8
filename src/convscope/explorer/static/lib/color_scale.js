/** Diverging colour scale: warm is positive, cool is negative; one scale for maps, weights and products. */

const COLOR_STOPS = {
  light: {
    zero: [250, 247, 241],
    positive: [
      [246, 201, 146],
      [224, 122, 44],
      [164, 64, 12],
      [116, 38, 6],
    ],
    negative: [
      [178, 207, 234],
      [76, 141, 200],
      [28, 90, 158],
      [14, 54, 108],
    ],
  },
  dark: {
    zero: [17, 22, 27],
    positive: [
      [92, 44, 14],
      [205, 103, 28],
      [248, 160, 62],
      [255, 210, 132],
    ],
    negative: [
      [22, 56, 88],
      [40, 112, 176],
      [92, 172, 236],
      [160, 216, 255],
    ],
  },
};

const tables = new Map();

/**
 * The scale as 511 RGB triples: index 255 is zero, 510 the largest value, 0 its negative.
 * @param {"light" | "dark"} theme
 * @returns {Uint8ClampedArray}
 */
export function colorTable(theme) {
  if (!tables.has(theme)) tables.set(theme, buildTable(COLOR_STOPS[theme]));
  return tables.get(theme);
}

/** @returns {"light" | "dark"} the current theme */
export function currentTheme() {
  return document.documentElement.dataset.theme === "dark" ? "dark" : "light";
}

/**
 * The CSS colour of a value.
 * @param {number} value
 * @param {number} limit the absolute value of the strongest colour
 * @returns {string}
 */
export function valueColor(value, limit) {
  const offset = colorIndex(value, limit) * 3;
  const table = colorTable(currentTheme());
  return `rgb(${table[offset]}, ${table[offset + 1]}, ${table[offset + 2]})`;
}

/**
 * Whether text on the colour of a value should be light.
 * @returns {boolean}
 */
export function needsLightText(value, limit) {
  const offset = colorIndex(value, limit) * 3;
  const [red, green, blue] = [0, 1, 2].map((c) => linearLight(colorTable(currentTheme())[offset + c] / 255));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.18; // equal contrast with white and black text
}

function linearLight(channel) {
  return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4; // WCAG 2.2, relative luminance
}

/**
 * The index of a value in the scale.
 * @returns {number} 0 to 510
 */
export function colorIndex(value, limit) {
  if (!(limit > 0) || !Number.isFinite(value)) return 255;
  return Math.round(255 + 255 * Math.max(-1, Math.min(1, value / limit)));
}

/**
 * The largest absolute value.
 * @param {ArrayLike<number>} values
 * @returns {number} 0 for an empty array
 */
export function maxAbs(values) {
  let limit = 0;
  for (let i = 0; i < values.length; i += 1) limit = Math.max(limit, Math.abs(values[i]) || 0);
  return limit;
}

function buildTable({ zero, positive, negative }) {
  const table = new Uint8ClampedArray(511 * 3);
  for (let i = 0; i < 511; i += 1) {
    const stops = [zero, ...(i < 255 ? negative : positive)];
    const position = (Math.abs(i - 255) / 255) * (stops.length - 1);
    const step = Math.min(stops.length - 2, Math.floor(position));
    for (let c = 0; c < 3; c += 1) {
      table[3 * i + c] = stops[step][c] + (position - step) * (stops[step + 1][c] - stops[step][c]);
    }
  }
  return table;
}
