/** Keyboard navigation of a grid: one item is in the tab order, arrow keys move to its neighbours on the screen. */

const KEYS = new Set(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"]);

/**
 * Make the items that match a selector a single tab stop.
 * @param {HTMLElement} grid
 * @param {string} [selector] the focusable items
 * @returns {HTMLElement} the grid
 */
export function gridKeys(grid, selector = "button") {
  const focusable = () =>
    [...grid.querySelectorAll(selector)].filter((item) => !item.disabled && item.offsetParent !== null);
  grid.addEventListener("focusin", (event) => {
    const item = event.target.closest(selector);
    if (item && grid.contains(item)) setTabStop(grid, selector, item);
  });
  grid.addEventListener("keydown", (event) => {
    const from = event.target.closest(selector);
    if (!from || !KEYS.has(event.key) || event.altKey || event.ctrlKey || event.metaKey) return;
    const items = focusable();
    const to =
      items[
        neighborIndex(
          items.map((item) => item.getBoundingClientRect()),
          items.indexOf(from),
          event.key,
        )
      ];
    event.preventDefault();
    event.stopPropagation();
    to?.focus();
  });
  return refreshTabStop(grid, selector);
}

/**
 * Update the tab stop after the items changed.
 * @returns {HTMLElement} the grid
 */
export function refreshTabStop(grid, selector = "button") {
  const selected = grid.querySelector(
    `${selector}[aria-current="true"], ${selector}[aria-pressed="true"], ${selector}[aria-selected="true"]`,
  );
  setTabStop(grid, selector, selected ?? grid.querySelector(selector));
  return grid;
}

/**
 * The item that a key moves to.
 * @param {{left: number, top: number, width: number, height: number}[]} boxes of the items
 * @param {number} from
 * @param {string} key an arrow, Home or End
 * @returns {number} its index in `boxes`; `from` at the edge
 */
export function neighborIndex(boxes, from, key) {
  if (key === "Home") return 0;
  if (key === "End") return boxes.length - 1;
  if (key === "ArrowLeft") return Math.max(0, from - 1);
  if (key === "ArrowRight") return Math.min(boxes.length - 1, from + 1);
  const down = key === "ArrowDown" ? 1 : -1;
  const center = (box) => [box.left + box.width / 2, box.top + box.height / 2];
  const [x, y] = center(boxes[from]);
  let best = from;
  let lowest = Infinity;
  boxes.forEach((box, i) => {
    const [bx, by] = center(box);
    const distance = (by - y) * down;
    const cost = distance + 3 * Math.abs(bx - x);
    if (distance > box.height / 2 && cost < lowest) [best, lowest] = [i, cost];
  });
  return best;
}

function setTabStop(grid, selector, selected) {
  for (const item of grid.querySelectorAll(selector)) item.tabIndex = item === selected ? 0 : -1;
}
