/** Image picker: the run's images by split, class, error, name, or similarity to the current image. */

import { loadInto } from "./error_message.js";
import { selectField } from "./select_field.js";
import { thumbnails } from "./thumbnails.js";
import { formatCount, formatNumber } from "../lib/numbers.js";
import { fill, h } from "../lib/dom.js";
import { getJson } from "../lib/api.js";
import { jobPanel } from "./job_panel.js";
import { session } from "../lib/session.js";

const PAGE = 48;

/**
 * The image picker.
 * @param {(id: string) => void} onPick
 * @returns {{element: HTMLElement, show: (image: string) => void}}
 */
export function imagePicker(onPick) {
  const state = {
    split: session.run.splits.validation ? "validation" : "train",
    class: "",
    mistakes: false,
    order: "name",
    search: "",
    image: "",
    from: 0,
  };
  const grid = h("div.stack");
  const summary = h("p.muted.small");
  const reload = () => listImages(state, grid, summary, onPick);
  const element = h(
    "section.card.stack.no-screenshot",
    {},
    h("h2", {}, "Images of the run"),
    filters(state, reload, grid, summary, onPick),
    summary,
    grid,
  );
  reload();
  return {
    element,
    show: (image) => {
      state.image = image;
      markCurrent(grid, image);
    },
  };
}

function filters(state, reload, grid, summary, onPick) {
  const setter = (name) => (value) => {
    Object.assign(state, { [name]: value, from: 0 });
    reload();
  };
  const splits = ["validation", "train"]
    .filter((split) => session.run.splits[split])
    .map((split) => [split, `${split} (${session.run.splits[split].toLocaleString("en-US")})`]);
  const classes = [["", "all classes"], ...session.run.classes.map((name, i) => [String(i), name])];
  const misclassified = h("input", {
    type: "checkbox",
    on: { change: () => setter("mistakes")(misclassified.checked) },
  });
  const search = h("input", { type: "search", placeholder: "name", size: 10 });
  let timer = null;
  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => setter("search")(search.value), 250);
  });
  return h(
    "div.row.form",
    {},
    selectField("Split", splits, state.split, setter("split")),
    session.run.classes.length ? selectField("Class", classes, state.class, setter("class")) : null,
    selectField(
      "Order",
      [
        ["name", "by name"],
        ["most_confident", "most confident first"],
        ["least_confident", "least confident first"],
      ],
      state.order,
      setter("order"),
    ),
    h("label.field", {}, "Find", search),
    h("label.check", {}, misclassified, "misclassified only"),
    h(
      "button",
      { type: "button", on: { click: () => listNeighbors(state, grid, summary, onPick) } },
      "Nearest neighbours",
    ),
  );
}

function listImages(state, grid, summary, onPick) {
  const key = Symbol("list");
  state.key = key;
  return loadInto(grid, async () => {
    const { split, order, search, mistakes } = state;
    const response = await getJson("images", {
      split,
      class: state.class,
      mistakes,
      order,
      search,
      from: state.from,
      count: PAGE,
    });
    if (state.key !== key) return [...grid.childNodes];
    fill(
      summary,
      `${formatCount(response.total, "image")}${response.total > PAGE ? `, ${state.from + 1} to ${Math.min(response.total, state.from + PAGE)}` : ""}`,
    );
    const pageButton = (offset, label) =>
      h(
        "button",
        {
          type: "button",
          disabled: state.from + offset < 0 || state.from + offset >= response.total,
          on: {
            click: () => {
              state.from += offset;
              listImages(state, grid, summary, onPick);
            },
          },
        },
        label,
      );
    return [
      response.images.length
        ? thumbnails(response.images, { onPick: (image) => onPick(image.id), selected: state.image })
        : h("p.empty", {}, "No matching images."),
      response.total > PAGE ? h("div.row", {}, pageButton(-PAGE, "Previous"), pageButton(PAGE, "Next")) : null,
    ];
  });
}

async function listNeighbors(state, grid, summary, onPick) {
  state.key = null;
  const isOwn = state.image.startsWith("own-");
  fill(
    summary,
    isOwn
      ? "Nearest neighbours of the image on the canvas in feature space."
      : "Nearest neighbours of this image in feature space.",
  );
  const panel = jobPanel("neighbours", { images: [state.image], split: state.split, count: 16 }, ({ data }) =>
    thumbnails(
      data.queries[0].features.map((item) => item.image),
      { onPick: (image) => onPick(image.id), selected: state.image, line: distanceLabel(data.queries[0]) },
    ),
  );
  fill(grid, panel.element);
}

function distanceLabel({ features }) {
  const distances = new Map(features.map((item) => [item.image.id, item.distance]));
  return (image) => `${session.run.classes[image.truth] ?? image.name} · ${formatNumber(distances.get(image.id))}`;
}

function markCurrent(grid, image) {
  for (const button of grid.querySelectorAll(".thumbnail")) {
    if (button.dataset.id === image) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  }
}
