/** Images of the run to choose from: by set, class, mistake, name, or by what resembles the one that is looked at. */

import { awaited, choice, thumbs } from "./parts.js";
import { count, figure } from "../lib/numbers.js";
import { fill, h } from "../lib/dom.js";
import { get } from "../lib/api.js";
import { runJob } from "./job_panel.js";
import { session } from "../lib/session.js";

const PAGE = 48;

/**
 * The picker.
 * @param {(id: string) => void} onPick
 * @returns {{element: HTMLElement, show: (image: string) => void}}
 */
export function picker(onPick) {
  const held = {
    split: session.run.splits.validation ? "validation" : "train",
    class: "",
    mistakes: false,
    order: "name",
    search: "",
    image: "",
    from: 0,
  };
  const grid = h("div.stack");
  const about = h("p.soft.small");
  const again = () => list(held, grid, about, onPick);
  const element = h(
    "section.card.stack.unsaved",
    {},
    h("h2", {}, "From the data"),
    filters(held, again, grid, about, onPick),
    about,
    grid,
  );
  again();
  return {
    element,
    show: (image) => {
      held.image = image;
      current(grid, image);
    },
  };
}

function filters(held, again, grid, about, onPick) {
  const set = (name) => (value) => {
    Object.assign(held, { [name]: value, from: 0 });
    again();
  };
  const splits = ["validation", "train"]
    .filter((split) => session.run.splits[split])
    .map((split) => [split, `${split} (${session.run.splits[split].toLocaleString("en-US")})`]);
  const classes = [["", "all classes"], ...session.run.classes.map((name, i) => [String(i), name])];
  const wrong = h("input", { type: "checkbox", on: { change: () => set("mistakes")(wrong.checked) } });
  const search = h("input", { type: "search", placeholder: "name", size: 10 });
  let typed = null;
  search.addEventListener("input", () => {
    clearTimeout(typed);
    typed = setTimeout(() => set("search")(search.value), 250);
  });
  return h(
    "div.row.form",
    {},
    choice("Set", splits, held.split, set("split")),
    session.run.classes.length ? choice("Class", classes, held.class, set("class")) : null,
    choice(
      "Order",
      [
        ["name", "by name"],
        ["surest", "surest first"],
        ["unsure", "least sure first"],
      ],
      held.order,
      set("order"),
    ),
    h("label.field", {}, "Find", search),
    h("label.check", {}, wrong, "only mistakes"),
    h("button", { type: "button", on: { click: () => alike(held, grid, about, onPick) } }, "Those like this one"),
  );
}

function list(held, grid, about, onPick) {
  const key = Symbol("list");
  held.key = key;
  return awaited(grid, async () => {
    const { split, order, search, mistakes } = held;
    const answer = await get("images", {
      split,
      class: held.class,
      mistakes,
      order,
      search,
      from: held.from,
      count: PAGE,
    });
    if (held.key !== key) return [...grid.childNodes];
    fill(
      about,
      `${count(answer.total, "image")}${answer.total > PAGE ? `, ${held.from + 1} to ${Math.min(answer.total, held.from + PAGE)}` : ""}`,
    );
    const turn = (by, said) =>
      h(
        "button",
        {
          type: "button",
          disabled: held.from + by < 0 || held.from + by >= answer.total,
          on: {
            click: () => {
              held.from += by;
              list(held, grid, about, onPick);
            },
          },
        },
        said,
      );
    return [
      answer.images.length
        ? thumbs(answer.images, { onPick: (image) => onPick(image.id), chosen: held.image })
        : h("p.empty", {}, "No image fits."),
      answer.total > PAGE ? h("div.row", {}, turn(-PAGE, "Earlier ones"), turn(PAGE, "Further ones")) : null,
    ];
  });
}

async function alike(held, grid, about, onPick) {
  held.key = null;
  const own = held.image.startsWith("own-");
  fill(
    about,
    own
      ? "Whom the picture on the pad resembles, by what the network makes of it."
      : "Whom this image resembles, by what the network makes of it.",
  );
  const made = runJob("neighbours", { image: held.image, split: held.split, count: 16 }, (numbers) =>
    thumbs(
      numbers.features.map((one) => one.image),
      { onPick: (image) => onPick(image.id), chosen: held.image, line: distance(numbers) },
    ),
  );
  fill(grid, made.element);
}

function distance(numbers) {
  const away = new Map(numbers.features.map((one) => [one.image.id, one.distance]));
  return (image) => `${session.run.classes[image.truth] ?? image.name} · ${figure(away.get(image.id))}`;
}

function current(grid, image) {
  for (const button of grid.querySelectorAll(".thumb")) {
    if (button.dataset.id === image) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  }
}
