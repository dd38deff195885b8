/** Values to colours: warm above zero, cool below, the ground at zero; one scale for maps, weights and products. */

const LADDERS = {
  light: {
    ground: [250, 247, 241],
    warm: [
      [246, 201, 146],
      [224, 122, 44],
      [164, 64, 12],
      [116, 38, 6],
    ],
    cool: [
      [178, 207, 234],
      [76, 141, 200],
      [28, 90, 158],
      [14, 54, 108],
    ],
  },
  dark: {
    ground: [17, 22, 27],
    warm: [
      [92, 44, 14],
      [205, 103, 28],
      [248, 160, 62],
      [255, 210, 132],
    ],
    cool: [
      [22, 56, 88],
      [40, 112, 176],
      [92, 172, 236],
      [160, 216, 255],
    ],
  },
};

const built = new Map();

/**
 * The scale as 511 RGB triples: index 255 is zero, 510 the largest value, 0 its negative.
 * @param {"light" | "dark"} theme
 * @returns {Uint8ClampedArray}
 */
export function scale(theme) {
  if (!built.has(theme)) built.set(theme, build(LADDERS[theme]));
  return built.get(theme);
}

/** @returns {"light" | "dark"} the theme that the page shows */
export function theme() {
  return document.documentElement.dataset.theme === "dark" ? "dark" : "light";
}

/**
 * CSS colour of one value.
 * @param {number} value
 * @param {number} most the value that takes the full colour
 * @returns {string}
 */
export function colour(value, most) {
  const at = index(value, most) * 3;
  const table = scale(theme());
  return `rgb(${table[at]}, ${table[at + 1]}, ${table[at + 2]})`;
}

/**
 * Whether text on that value's colour should be light.
 * @returns {boolean}
 */
export function needsLightText(value, most) {
  const at = index(value, most) * 3;
  const [red, green, blue] = [0, 1, 2].map((c) => light(scale(theme())[at + c] / 255));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.18; // where white and black text are as easy to read
}

function light(channel) {
  return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4; // WCAG 2.2, relative luminance
}

/**
 * Place of a value in the scale.
 * @returns {number} 0 to 510
 */
export function index(value, most) {
  if (!(most > 0) || !Number.isFinite(value)) return 255;
  return Math.round(255 + 255 * Math.max(-1, Math.min(1, value / most)));
}

/**
 * The largest absolute value.
 * @param {ArrayLike<number>} values
 * @returns {number} 0 where there is none
 */
export function largest(values) {
  let most = 0;
  for (let i = 0; i < values.length; i += 1) most = Math.max(most, Math.abs(values[i]) || 0);
  return most;
}

function build({ ground, warm, cool }) {
  const table = new Uint8ClampedArray(511 * 3);
  for (let i = 0; i < 511; i += 1) {
    const ladder = [ground, ...(i < 255 ? cool : warm)];
    const along = (Math.abs(i - 255) / 255) * (ladder.length - 1);
    const step = Math.min(ladder.length - 2, Math.floor(along));
    for (let c = 0; c < 3; c += 1) {
      table[3 * i + c] = ladder[step][c] + (along - step) * (ladder[step + 1][c] - ladder[step][c]);
    }
  }
  return table;
}
