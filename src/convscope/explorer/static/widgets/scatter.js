/**
 * The map of the set: every image where the network puts it, zoomed with the wheel, chosen with a lasso or the arrow
 * keys.
 */

import { fill, h, s } from "../lib/dom.js";
import { inside, nearest, towards } from "../lib/lasso.js";
import { address } from "../lib/api.js";
import { redrawn } from "../lib/theme.js";

const PER_ROW = 32;
const KEYS =
  "Map of the images. Arrow keys go from image to image, plus and minus zoom, Escape chooses none. " +
  "With the pointer, draw around images.";

/**
 * The map.
 * @param {(chosen: number[]) => void} onChoose places in `points`
 * @returns {{element: HTMLElement, show: (points: any[], split: string, side: number) => void, light: (classIndex:
 *   number | null) => void, choose: (places: number[]) => void}}
 */
export function atlas(onChoose) {
  const canvas = h("canvas", { "aria-hidden": "true" });
  const rope = s("svg.rope", { "aria-hidden": "true" });
  const named = { role: "application", "aria-roledescription": "map", "aria-label": KEYS };
  const element = h("div.atlas", { tabindex: 0, ...named }, canvas, rope);
  const seen = { zoom: 1, pan: [0, 0], lit: null, chosen: new Set(), at: -1 };
  const held = { points: [], sprite: null, side: 24, ...seen, rope: [], canvas, ropeShown: rope };
  const choose = (places) => {
    held.chosen = new Set(places);
    draw(held, element);
    onChoose(places);
  };
  lassoing(element, held, choose);
  zooming(element, held);
  walking(element, held, choose);
  new ResizeObserver(() => draw(held, element)).observe(element);
  redrawn(element, () => draw(held, element));
  return {
    element,
    show: (points, split, side) => show(held, element, points, split, side),
    light: (lit) => {
      held.lit = lit;
      draw(held, element);
    },
    choose: (places) => {
      held.chosen = new Set(places);
      draw(held, element);
    },
    zoom: (by) => {
      zoomAt(held, by, 0.5, 0.5);
      draw(held, element);
    },
  };
}

/**
 * A class's colour: far apart for neighbouring numbers, and never red, which says that an answer was wrong.
 * @param {number | null} index
 * @returns {string}
 */
export function hue(index) {
  return index === null ? "gray" : `hsl(${45 + ((index * 166.87 + 130) % 270)} 58% 50%)`;
}

function show(held, element, points, split, side) {
  Object.assign(held, { points, side, sprite: null, chosen: new Set(), at: -1, zoom: 1, pan: [0, 0] });
  const sprite = new Image();
  sprite.addEventListener("load", () => {
    if (held.points === points) {
      held.sprite = sprite;
      draw(held, element);
    }
  });
  sprite.src = address("sprite.png", { split, side, ids: points.map((point) => point.id.split("-")[1]).join(",") });
  draw(held, element);
}

function placed({ points, zoom, pan }, box) {
  const margin = 28;
  const [w, hh] = [box.width - 2 * margin, box.height - 2 * margin];
  return points.map((point) => ({
    x: margin + (point.x - 0.5 - pan[0]) * zoom * w + w / 2,
    y: margin + (point.y - 0.5 - pan[1]) * zoom * hh + hh / 2,
  }));
}

function draw(held, element) {
  const { canvas, points, sprite, side, zoom, lit, chosen, at } = held;
  const box = { width: element.clientWidth, height: element.clientHeight };
  if (!box.width) return;
  const dense = window.devicePixelRatio || 1;
  [canvas.width, canvas.height] = [box.width * dense, box.height * dense];
  const context = canvas.getContext("2d");
  context.setTransform(dense, 0, 0, dense, 0, 0);
  context.imageSmoothingEnabled = false;
  const look = getComputedStyle(document.documentElement);
  const accent = look.getPropertyValue("--accent");
  const bad = look.getPropertyValue("--bad");
  const size = Math.min(54, Math.max(12, (box.width < 500 ? 13 : 20) * Math.sqrt(zoom)));
  const order = points.map((_, i) => i).sort((a, b) => rank(held, a) - rank(held, b));
  const spots = placed(held, box);
  for (const i of order) {
    const { x, y } = spots[i];
    if (x < -size || y < -size || x > box.width + size || y > box.height + size) continue;
    const dim = (lit !== null && points[i].truth !== lit) || (chosen.size && !chosen.has(i));
    context.globalAlpha = dim ? 0.16 : 1;
    const wrong = points[i].answer !== null && points[i].answer !== points[i].truth;
    context.fillStyle = hue(points[i].truth);
    context.fillRect(x - size / 2 - 2, y - size / 2 - 2, size + 4, size + 4);
    if (sprite)
      context.drawImage(
        sprite,
        (i % PER_ROW) * side,
        Math.floor(i / PER_ROW) * side,
        side,
        side,
        x - size / 2,
        y - size / 2,
        size,
        size,
      );
    if (wrong) corner(context, x + size / 2 + 2, y - size / 2 - 2, size * 0.45, bad);
    if (i === at || (chosen.size === 1 && chosen.has(i))) outline(context, x, y, size, accent);
  }
  context.globalAlpha = 1;
}

function rank({ chosen, at, lit, points }, i) {
  return (i === at ? 4 : 0) + (chosen.has(i) ? 2 : 0) + (lit !== null && points[i].truth === lit ? 1 : 0);
}

function corner(context, x, y, size, colour) {
  context.fillStyle = colour;
  context.beginPath();
  context.moveTo(x - size, y);
  context.lineTo(x, y);
  context.lineTo(x, y + size);
  context.fill();
}

function outline(context, x, y, size, colour) {
  context.strokeStyle = colour;
  context.lineWidth = 3;
  context.strokeRect(x - size / 2 - 4, y - size / 2 - 4, size + 8, size + 8);
}

function lassoing(element, held, choose) {
  const here = (event) => {
    const box = element.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  element.addEventListener("pointerdown", (event) => {
    if (event.button || !held.points.length) return;
    element.setPointerCapture(event.pointerId);
    held.rope = [here(event)];
    held.dragging = event.shiftKey ? { pan: held.pan, from: here(event) } : null;
  });
  element.addEventListener("pointermove", (event) => {
    if (!held.rope.length) return;
    if (held.dragging) return pan(held, element, here(event));
    held.rope.push(here(event));
    rope(held, element);
  });
  element.addEventListener("pointerup", (event) => {
    const drawn = held.rope;
    const dragged = held.dragging;
    Object.assign(held, { rope: [], dragging: null });
    fill(held.ropeShown);
    if (!drawn.length || dragged) return;
    const spots = placed(held, { width: element.clientWidth, height: element.clientHeight });
    const small = drawn.every(([x, y]) => Math.hypot(x - drawn[0][0], y - drawn[0][1]) < 6);
    const one = nearest(here(event), spots, 26);
    if (small) choose(one < 0 ? [] : [one]);
    else choose(spots.flatMap((spot, i) => (inside([spot.x, spot.y], drawn) ? [i] : [])));
  });
}

function rope({ rope: drawn, ropeShown }, element) {
  ropeShown.setAttribute("viewBox", `0 0 ${element.clientWidth} ${element.clientHeight}`);
  fill(ropeShown, s("path", { d: `M${drawn.map((point) => point.map((at) => at.toFixed(0)).join(" ")).join("L")}Z` }));
}

function pan(held, element, [x, y]) {
  const { pan: before, from } = held.dragging;
  held.pan = [
    before[0] - (x - from[0]) / element.clientWidth / held.zoom,
    before[1] - (y - from[1]) / element.clientHeight / held.zoom,
  ];
  draw(held, element);
}

function zooming(element, held) {
  element.addEventListener(
    "wheel",
    (event) => {
      if (!held.points.length || !(event.ctrlKey || event.metaKey || document.activeElement === element)) return;
      event.preventDefault();
      const box = element.getBoundingClientRect();
      zoomAt(
        held,
        event.deltaY < 0 ? 1.2 : 1 / 1.2,
        (event.clientX - box.left) / box.width,
        (event.clientY - box.top) / box.height,
      );
      draw(held, element);
    },
    { passive: false },
  );
}

function zoomAt(held, by, x, y) {
  const next = Math.max(1, Math.min(24, held.zoom * by));
  const keep = 1 / held.zoom - 1 / next;
  held.pan = [held.pan[0] + (x - 0.5) * keep, held.pan[1] + (y - 0.5) * keep];
  held.zoom = next;
  if (next === 1) held.pan = [0, 0];
}

function walking(element, held, choose) {
  element.addEventListener("keydown", (event) => {
    if (!held.points.length) return;
    if (event.key === "+" || event.key === "-") zoomAt(held, event.key === "+" ? 1.4 : 1 / 1.4, 0.5, 0.5);
    else if (event.key === "Escape") choose([]);
    else if (event.key.startsWith("Arrow")) {
      held.at = held.at < 0 ? nearest([0.5, 0.5], held.points) : towards(held.points, held.at, event.key);
      choose([held.at]);
    } else return;
    event.preventDefault();
    draw(held, element);
  });
}
