/** The rail: the picture that is looked at, what the network calls it, and the field of the unit that is looked at. */

import { get, replaced } from "../lib/api.js";
import { answerInWords, answers, trouble } from "./parts.js";
import { className, session, tell } from "../lib/session.js";
import { fill, h, s } from "../lib/dom.js";
import { newest } from "../lib/latest_request.js";
import { write } from "../lib/router.js";

const signal = newest();

/**
 * The rail's parts and what it can be told.
 * @param {HTMLElement} element
 * @param {(id: string) => void} choose
 * @returns {{show: (id: string) => Promise<void>, field: (box: number[] | null, pixel?: [number, number] | null) =>
 *   void}}
 */
export function rail(element, choose) {
  const overlay = s("svg.sight", { "aria-hidden": "true" });
  const picture = h("img.subject", { alt: "", width: 256, height: 256 });
  for (const [event, shown] of [
    ["error", "hidden"],
    ["load", "visible"],
  ]) {
    picture.addEventListener(event, () => picture.style.setProperty("visibility", shown));
  }
  const said = h("div.said");
  const held = { shown: "", key: "" };
  fill(
    element,
    h(
      "div.sticky.stack",
      {},
      h("figure.looked", {}, h("div.framed", {}, picture, overlay), h("figcaption", {})),
      said,
      steps(held, choose),
    ),
  );
  const caption = element.querySelector("figcaption");
  return {
    show: (id) => showImage(held, id, { picture, caption, said }),
    field: (box, pixel = null) => drawField(overlay, box, pixel),
  };
}

/**
 * The first image of a run: of validation, else of training.
 * @returns {string} its id
 */
export function firstImage() {
  return session.run.splits.validation ? "validation-0" : "train-0";
}

/**
 * The image before or after one in its set.
 * @param {string} id
 * @param {number} step
 * @param {Object<string, number>} splits how many images each set has
 * @returns {string | null} null where the image is in no set
 */
export function beside(id, step, splits) {
  const found = /^(train|validation)-(\d+)$/.exec(id);
  if (!found || !splits[found[1]]) return null;
  const many = splits[found[1]];
  return `${found[1]}-${(Number(found[2]) + step + many) % many}`;
}

async function showImage(held, id, { picture, caption, said }) {
  const key = `${id} ${session.run.network}`;
  held.shown = id;
  if (held.key === key) return;
  held.key = key;
  picture.src = `/api/images/${encodeURIComponent(id)}/picture.png`;
  try {
    const input = await get(`inputs/${encodeURIComponent(id)}`, {}, signal());
    const truth = input.truth === null ? "" : `is ${className(input.truth)}`;
    picture.alt = `The picture ${input.name}`;
    fill(caption, h("b", {}, input.name), truth ? h("span.soft", {}, truth) : null);
    fill(said, answers(input));
    tell("say", `${input.name}${truth ? `, ${truth}` : ""}. Called ${answerInWords(input)}`);
  } catch (error) {
    if (replaced(error)) return;
    held.key = "";
    picture.alt = "";
    fill(caption);
    fill(said, trouble(error));
  }
}

function steps(held, choose) {
  const step = (by) => () => {
    const next = beside(held.shown, by, session.run.splits);
    choose(next ?? firstImage());
  };
  const random = () => {
    const split = session.run.splits.validation ? "validation" : "train";
    choose(`${split}-${Math.floor(Math.random() * session.run.splits[split])}`);
  };
  const open = h("a.button", { href: "#/input" }, "Choose or draw");
  open.addEventListener("click", () => {
    open.href = write("input", { image: held.shown });
  });
  return h(
    "div.row.tight.unsaved",
    {},
    h(
      "button",
      { type: "button", "aria-label": "Previous image", title: "Previous image", on: { click: step(-1) } },
      "‹",
    ),
    h("button", { type: "button", "aria-label": "Next image", title: "Next image", on: { click: step(1) } }, "›"),
    h(
      "button",
      { type: "button", "aria-label": "An image at random", title: "An image at random", on: { click: random } },
      "⚂",
    ),
    open,
  );
}

function drawField(overlay, box, pixel) {
  const { height, width } = session.run.input;
  overlay.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const unit = Math.max(height, width) / 100;
  if (!box) return fill(overlay);
  const [x1, y1, x2, y2] = box;
  const left = Math.max(0, x1);
  const upper = Math.max(0, y1);
  const hole = {
    x: left,
    y: upper,
    width: Math.max(0, Math.min(width, x2) - left),
    height: Math.max(0, Math.min(height, y2) - upper),
  };
  const veil = `M0 0H${width}V${height}H0ZM${hole.x} ${hole.y}v${hole.height}h${hole.width}v${-hole.height}Z`;
  return fill(
    overlay,
    s("path.veil", { d: veil }),
    s("rect.hole", { ...hole, "stroke-width": 1.4 * unit }),
    pixel ? s("rect.pixel", { x: pixel[1], y: pixel[0], width: 1, height: 1, "stroke-width": unit }) : null,
  );
}
