/** Keys in a grid of things: one of them is in the tab order, arrows go to its neighbours as they lie on the screen. */

const MOVES = new Set(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"]);

/**
 * Make the children that match a selector one stop in the tab order.
 * @param {HTMLElement} grid
 * @param {string} [selector] what can be focused in it
 * @returns {HTMLElement} the grid
 */
export function roving(grid, selector = "button") {
  const all = () => [...grid.querySelectorAll(selector)].filter((item) => !item.disabled && item.offsetParent !== null);
  grid.addEventListener("focusin", (event) => {
    const item = event.target.closest(selector);
    if (item && grid.contains(item)) stop(grid, selector, item);
  });
  grid.addEventListener("keydown", (event) => {
    const from = event.target.closest(selector);
    if (!from || !MOVES.has(event.key) || event.altKey || event.ctrlKey || event.metaKey) return;
    const items = all();
    const to =
      items[
        neighbour(
          items.map((item) => item.getBoundingClientRect()),
          items.indexOf(from),
          event.key,
        )
      ];
    event.preventDefault();
    event.stopPropagation();
    to?.focus();
  });
  return refresh(grid, selector);
}

/**
 * Set the tab order again after the children changed.
 * @returns {HTMLElement} the grid
 */
export function refresh(grid, selector = "button") {
  const chosen = grid.querySelector(
    `${selector}[aria-current="true"], ${selector}[aria-pressed="true"], ${selector}[aria-selected="true"]`,
  );
  stop(grid, selector, chosen ?? grid.querySelector(selector));
  return grid;
}

/**
 * The thing that a key leads to.
 * @param {{left: number, top: number, width: number, height: number}[]} boxes where things lie
 * @param {number} from
 * @param {string} key an arrow, Home or End
 * @returns {number} its place in `boxes`; `from` at the edge
 */
export function neighbour(boxes, from, key) {
  if (key === "Home") return 0;
  if (key === "End") return boxes.length - 1;
  if (key === "ArrowLeft") return Math.max(0, from - 1);
  if (key === "ArrowRight") return Math.min(boxes.length - 1, from + 1);
  const down = key === "ArrowDown" ? 1 : -1;
  const middle = (box) => [box.left + box.width / 2, box.top + box.height / 2];
  const [x, y] = middle(boxes[from]);
  let best = from;
  let least = Infinity;
  boxes.forEach((box, i) => {
    const [bx, by] = middle(box);
    const away = (by - y) * down;
    const cost = away + 3 * Math.abs(bx - x);
    if (away > box.height / 2 && cost < least) [best, least] = [i, cost];
  });
  return best;
}

function stop(grid, selector, chosen) {
  for (const item of grid.querySelectorAll(selector)) item.tabIndex = item === chosen ? 0 : -1;
}
