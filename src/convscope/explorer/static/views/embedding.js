/**
 * View: the embedding map, on which images with similar features are close. Selected images are listed beside it.
 */

import { scatterMap, classColor } from "../widgets/scatter.js";
import { selectField } from "../widgets/select_field.js";
import { labelText, thumbnails } from "../widgets/thumbnails.js";
import { viewHeader } from "../widgets/view_header.js";
import { className, session, publish } from "../lib/session.js";
import { formatCount, formatPercent } from "../lib/numbers.js";
import { fill, h } from "../lib/dom.js";
import { navigate, currentRoute, formatRoute } from "../lib/router.js";
import { jobPanel } from "../widgets/job_panel.js";
import { layerLabel, stages } from "../lib/network_tree.js";
import { classCounts } from "../lib/lasso.js";

const SPRITE_SIZE = 28;

/**
 * The view.
 */
export function embeddingView() {
  const state = { key: "", job: null, points: [], image: "" };
  const listCard = h("section.card.stack.selection", { "aria-live": "off" });
  const map = scatterMap((indices) =>
    listSelected(
      state,
      listCard,
      indices.map((i) => state.points[i]),
    ),
  );
  const legend = h("div.chips");
  const form = h("div.row.form.no-screenshot");
  const mapCard = h("section.card.stack", {}, form, h("div.job-slot"), legend, map.element);
  const element = h("div.stack", {});
  fill(
    element,
    viewHeader(
      "Embedding",
      "Images with similar features are close to each other. A red corner marks misclassified images. Draw a lasso to list the selected images.",
      () => element,
    ),
    h("div.embedding", {}, mapCard, listCard),
  );
  return {
    element,
    show: (params) => show(state, { map, legend, form, listCard, jobSlot: mapCard.querySelector(".job-slot") }, params),
    leave: () => state.job?.leave(),
  };
}

function show(state, parts, params) {
  state.image = params.image;
  const settings = {
    layers: params.features ? [params.features] : [],
    projection: params.projection ?? "pca",
    split: params.split ?? "validation",
  };
  const key = JSON.stringify([settings, session.run.network]);
  if (key === state.key) return;
  state.key = key;
  const open = (changes) => navigate("embedding", { ...currentRoute().params, ...changes }, { quiet: true });
  const splits = ["validation", "train"].filter((split) => session.run.splits[split]).map((split) => [split, split]);
  fill(
    parts.form,
    selectField("Split", splits, settings.split, (split) => open({ split })),
    selectField(
      "Projection",
      [
        ["pca", "PCA (preserves large distances)"],
        ["tsne", "t-SNE (preserves neighbours)"],
      ],
      settings.projection,
      (projection) => open({ projection }),
    ),
    selectField(
      "Features of",
      [
        ["", "the layer before the output"],
        ...stages(session.network).map((node) => [node.name, layerLabel(node.name)]),
      ],
      settings.layers[0] ?? "",
      (features) => open({ features }),
    ),
    h(
      "div.row.tight",
      {},
      h("button", { type: "button", "aria-label": "Zoom in", on: { click: () => parts.map.zoom(1.5) } }, "+"),
      h("button", { type: "button", "aria-label": "Zoom out", on: { click: () => parts.map.zoom(1 / 1.5) } }, "−"),
    ),
  );
  state.job?.leave();
  listSelected(state, parts.listCard, []);
  state.job = jobPanel("embedding", settings, ({ data }) => {
    state.points = data.points.map(({ image, x, y }) => ({ ...image, x, y }));
    parts.map.show(state.points, settings.split, SPRITE_SIZE);
    fill(parts.legend, state.points.some((point) => point.truth !== null) ? classButtons(parts.map) : null);
    return null;
  });
  fill(parts.jobSlot, state.job.element);
}

function classButtons(map) {
  if (session.run.classes.length > 40) return null;
  let highlighted = null;
  const buttons = session.run.classes.map((name, i) =>
    h(
      "button",
      {
        type: "button",
        "aria-pressed": "false",
        on: {
          click: () => {
            highlighted = highlighted === i ? null : i;
            buttons.forEach((button, at) => button.setAttribute("aria-pressed", String(at === highlighted)));
            map.highlight(highlighted);
          },
        },
      },
      h("i.dot", { style: { "background-color": classColor(i) } }),
      name,
    ),
  );
  return buttons;
}

function listSelected(state, listCard, points) {
  if (!points.length) {
    fill(
      listCard,
      h("h2", {}, "Selection"),
      h(
        "p.muted",
        {},
        "Draw a lasso around images, click one, or move between them with the arrow keys. Plus and minus zoom; Shift and drag pans.",
      ),
    );
    return;
  }
  const images = points;
  const counts = classCounts(points)
    .slice(0, 4)
    .map(([truth, number]) => `${number} × ${className(truth)}`)
    .join(", ");
  const misclassified = points.filter((point) => point.predicted !== null && point.predicted !== point.truth).length;
  publish(
    "announce",
    points.length === 1
      ? `${points[0].id}, ${labelText(images[0])}`
      : `${formatCount(points.length, "image")} selected: ${counts}`,
  );
  fill(
    listCard,
    h("h2", {}, points.length === 1 ? points[0].id : formatCount(points.length, "image")),
    h("p", {}, counts),
    misclassified
      ? h(
          "p.error",
          {},
          `${formatCount(misclassified, "image")} misclassified, ${formatPercent(misclassified / points.length)}`,
        )
      : null,
    points.length === 1
      ? h("a.button", { href: formatRoute("network", { image: points[0].id }) }, "Show in network")
      : null,
    thumbnails(images.slice(0, 120), {
      onPick: (image) => navigate("network", { image: image.id }),
      selected: state.image,
      line: labelText,
    }),
    images.length > 120 ? h("p.muted.small", {}, `and ${images.length - 120} more`) : null,
  );
}
