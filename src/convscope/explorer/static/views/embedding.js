/**
 * View: whom an image resembles. The set as a map of what the network makes of it; what is chosen on it is listed
 * beside.
 */

import { atlas, hue } from "../widgets/scatter.js";
import { called, choice, head, thumbs } from "../widgets/parts.js";
import { className, session, tell } from "../lib/session.js";
import { count, percent } from "../lib/numbers.js";
import { fill, h } from "../lib/dom.js";
import { go, here, write } from "../lib/router.js";
import { runJob } from "../widgets/job_panel.js";
import { spoken, stops } from "../lib/network_tree.js";
import { tally } from "../lib/lasso.js";

const SIDE = 28;

/**
 * The view.
 */
export function kin() {
  const held = { key: "", job: null, points: [], image: "" };
  const side = h("section.card.stack.chosen", { "aria-live": "off" });
  const map = atlas((places) =>
    list(
      held,
      side,
      places.map((i) => held.points[i]),
    ),
  );
  const legend = h("div.chips");
  const form = h("div.row.form.unsaved");
  const mapped = h("section.card.stack", {}, form, h("div.job-place"), legend, map.element);
  const element = h("div.stack", {});
  fill(
    element,
    head(
      "Kin",
      "Every image where the network’s last layers put it: neighbours are alike to the network. A red corner: called wrongly. Draw around some to see who they are.",
      () => element,
    ),
    h("div.kin", {}, mapped, side),
  );
  return {
    element,
    show: (said) => show(held, { map, legend, form, side, place: mapped.querySelector(".job-place") }, said),
    leave: () => held.job?.leave(),
  };
}

function show(held, parts, said) {
  held.image = said.image;
  const settings = {
    layer: said.of || null,
    method: said.plan ?? "pca",
    split: said.split ?? "validation",
    most: 1000,
  };
  const key = JSON.stringify([settings, session.run.network]);
  if (key === held.key) return;
  held.key = key;
  const open = (more) => go("kin", { ...here().said, ...more }, { quiet: true });
  const splits = ["validation", "train"].filter((split) => session.run.splits[split]).map((split) => [split, split]);
  fill(
    parts.form,
    choice("Set", splits, settings.split, (split) => open({ split })),
    choice(
      "Laid out by",
      [
        ["pca", "PCA, true to large distances"],
        ["tsne", "t-SNE, true to neighbours"],
      ],
      settings.method,
      (plan) => open({ plan }),
    ),
    choice(
      "Seen by",
      [["", "the layer before the answer"], ...stops(session.network).map((node) => [node.name, spoken(node.name)])],
      settings.layer ?? "",
      (of) => open({ of }),
    ),
    h(
      "div.row.tight",
      {},
      h("button", { type: "button", "aria-label": "Zoom in", on: { click: () => parts.map.zoom(1.5) } }, "+"),
      h("button", { type: "button", "aria-label": "Zoom out", on: { click: () => parts.map.zoom(1 / 1.5) } }, "−"),
    ),
  );
  held.job?.leave();
  list(held, parts.side, []);
  held.job = runJob("map", settings, (numbers) => {
    held.points = numbers.points;
    parts.map.show(numbers.points, settings.split, SIDE);
    fill(parts.legend, numbers.points.some((point) => point.truth !== null) ? classes(parts.map) : null);
    return null;
  });
  fill(parts.place, held.job.element);
}

function classes(map) {
  if (session.run.classes.length > 40) return null;
  let lit = null;
  const buttons = session.run.classes.map((name, i) =>
    h(
      "button",
      {
        type: "button",
        "aria-pressed": "false",
        on: {
          click: () => {
            lit = lit === i ? null : i;
            buttons.forEach((button, at) => button.setAttribute("aria-pressed", String(at === lit)));
            map.light(lit);
          },
        },
      },
      h("i.dot", { style: { "background-color": hue(i) } }),
      name,
    ),
  );
  return buttons;
}

function list(held, side, points) {
  if (!points.length) {
    fill(
      side,
      h("h2", {}, "Chosen"),
      h(
        "p.soft",
        {},
        "Draw around images on the map, click one, or go from one to the next with the arrow keys. Plus and minus zoom; shift and drag moves.",
      ),
    );
    return;
  }
  const images = points.map((point) => ({ ...point, name: point.id, mark: null }));
  const kinds = tally(points)
    .slice(0, 4)
    .map(([truth, many]) => `${many} × ${className(truth)}`)
    .join(", ");
  const wrong = points.filter((point) => point.answer !== null && point.answer !== point.truth).length;
  tell(
    "say",
    points.length === 1 ? `${points[0].id}, ${called(images[0])}` : `${count(points.length, "image")} chosen: ${kinds}`,
  );
  fill(
    side,
    h("h2", {}, points.length === 1 ? points[0].id : count(points.length, "image")),
    h("p", {}, kinds),
    wrong ? h("p.bad", {}, `${count(wrong, "image")} called wrongly, ${percent(wrong / points.length)}`) : null,
    points.length === 1
      ? h("a.button", { href: write("landscape", { image: points[0].id }) }, "See it in the landscape")
      : null,
    thumbs(images.slice(0, 120), {
      onPick: (image) => go("landscape", { image: image.id }),
      chosen: held.image,
      line: called,
    }),
    images.length > 120 ? h("p.soft.small", {}, `and ${images.length - 120} more`) : null,
  );
}
