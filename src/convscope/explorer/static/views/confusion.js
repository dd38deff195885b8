/** View: the confusion matrix, the images in its cells, and what the person says of them for the next training. */

import { address, get, send } from "../lib/api.js";
import { awaited, choice, head, thumbs, trouble } from "../widgets/parts.js";
import { className, news, session } from "../lib/session.js";
import { count, percent } from "../lib/numbers.js";
import { fill, h } from "../lib/dom.js";
import { go, here, write } from "../lib/router.js";
import { matrix } from "../widgets/confusion_matrix.js";
import { runJob } from "../widgets/job_panel.js";

const PAGE = 60;

/**
 * The view.
 */
export function mistakes() {
  const held = { said: {}, image: null, job: null };
  const parts = {
    table: h("section.card.stack"),
    images: h("section.card.stack"),
    one: h("section.card.stack.one"),
    marked: h("section.card.stack.unsaved"),
  };
  const element = h("div.stack", {});
  fill(
    element,
    head(
      "Mistakes",
      "What is taken for what. Choose a cell to see its images; say where the label is wrong or what should be left out, and train again with that.",
      () => element,
    ),
    h("div.mistakes", {}, h("div.stack", {}, parts.table, parts.marked), h("div.stack", {}, parts.one, parts.images)),
  );
  const stop = news("marks", () => listMarks(parts));
  listMarks(parts);
  return {
    element,
    show: (said) => show(held, parts, said),
    leave: () => {
      stop();
      held.job?.leave();
    },
  };
}

async function show(held, parts, said) {
  held.said = said;
  const split = said.split ?? "validation";
  const cell = said.truth !== undefined && said.answer !== undefined ? [Number(said.truth), Number(said.answer)] : null;
  const open = (more) => go("mistakes", { ...here().said, ...more }, { quiet: true });
  const splits = ["validation", "train"].filter((name) => session.run.splits[name]).map((name) => [name, name]);
  const title = h(
    "div.row.spread",
    {},
    h("h2", {}, "What is taken for what"),
    choice("Set", splits, split, (value) => open({ split: value, truth: "", answer: "" })),
  );
  if (!session.run.views.confusion) {
    fill(
      parts.table,
      h("h2", {}, "What is taken for what"),
      h("p.soft", {}, session.run.why_not?.confusion ?? "This task has no confusion matrix."),
    );
    for (const part of [parts.images, parts.one, parts.marked]) part.hidden = true;
    return;
  }
  try {
    const answer = await get("confusion", { split });
    fill(
      parts.table,
      title,
      h("p.soft", {}, score(answer.counts)),
      h(
        "div.scroll",
        {},
        matrix(answer.classes, answer.counts, {
          chosen: cell,
          onPick: (truth, called) => open({ truth, answer: called, from: "" }),
        }),
      ),
    );
  } catch (error) {
    fill(parts.table, title, error.kind === "not yet" ? ask(held, parts, split) : trouble(error));
  }
  showImages(held, parts, split, cell, open);
}

/**
 * What the counts say, in a sentence.
 * @param {number[][]} counts
 * @returns {string}
 */
export function score(counts) {
  const all = counts.flat().reduce((sum, number) => sum + number, 0);
  const right = counts.reduce((sum, row, i) => sum + row[i], 0);
  if (!all) return "No image in this set.";
  return `${count(all - right, "image")} of ${all.toLocaleString("en-US")} called wrongly; ${percent(right / all)} right.`;
}

function ask(held, parts, split) {
  const place = h("div.stack", {}, h("p.soft", {}, `The network was not asked about the ${split} images yet.`));
  const begin = h(
    "button.first",
    {
      type: "button",
      on: {
        click: () => {
          held.job = runJob("answers", { split }, () => {
            show(held, parts, held.said);
            return null;
          });
          fill(place, held.job.element);
        },
      },
    },
    `Ask it about all ${session.run.splits[split].toLocaleString("en-US")}`,
  );
  place.append(begin);
  return place;
}

function showImages(held, parts, split, cell, open) {
  const from = Number(held.said.from) || 0;
  const title = cell
    ? cell[0] === cell[1]
      ? `Rightly called ${className(cell[0])}`
      : `Is ${className(cell[0])}, called ${className(cell[1])}`
    : "All mistakes";
  const all = () => open({ truth: "", answer: "", from: "" });
  const back = h("button", { type: "button", on: { click: all } }, "All mistakes");
  awaited(parts.images, async () => {
    const answer = cell
      ? await get("confusion/cell", { split, truth: cell[0], answer: cell[1], from, count: PAGE })
      : await get("images", { split, mistakes: true, order: "surest", from, count: PAGE });
    const shown = answer.images.find((image) => image.id === held.image?.id) ?? answer.images[0] ?? null;
    showOne(held, parts, shown);
    return [
      h("div.row.spread", {}, h("h2", {}, title), cell ? back : null),
      answer.images.length
        ? h("p.soft.small", {}, `${count(answer.total, "image")}, the surest first`)
        : h("p.empty", {}, "None."),
      thumbs(answer.images, {
        onPick: (image) => {
          showOne(held, parts, image);
          parts.one.scrollIntoView({ block: "nearest" });
        },
        chosen: shown?.id,
        line: sure,
      }),
      answer.total > PAGE ? pages(from, answer.total, open) : null,
    ];
  });
}

function pages(from, total, open) {
  const turn = (by, said) => {
    const disabled = from + by < 0 || from + by >= total;
    return h("button", { type: "button", disabled, on: { click: () => open({ from: from + by || "" }) } }, said);
  };
  return h("div.row.unsaved", {}, turn(-PAGE, "Earlier ones"), turn(PAGE, "Further ones"));
}

function sure(image) {
  return image.confidence === null
    ? className(image.answer)
    : `${className(image.answer)} ${percent(image.confidence)}`;
}

function showOne(held, parts, image) {
  held.image = image;
  for (const button of parts.images.querySelectorAll(".thumb")) {
    if (button.dataset.id === image?.id) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  }
  parts.one.hidden = !image;
  if (!image) return;
  const src = address(`images/${encodeURIComponent(image.id)}/thumbnail.png`, { side: 256 });
  const links = h(
    "div.row",
    {},
    h("a.button", { href: write("landscape", { image: image.id }) }, "In the landscape"),
    h("a.button", { href: write("questions", { image: image.id }) }, "Where did it look?"),
  );
  const told = image.mark ? h("p.bad", { role: "status" }, marked(image.mark)) : null;
  const marking = markForm(image, (mark) => setMark(held, parts, image, mark));
  fill(
    parts.one,
    h(
      "div.looked-at",
      {},
      h("img.subject", { src, alt: `The picture ${image.name}`, width: 192, height: 192 }),
      h("div.stack", {}, h("div", {}, h("h2", {}, image.name), labelled(image)), told, marking, links),
    ),
  );
}

function labelled(image) {
  const [truth, answer] = [image.truth, image.answer].map((index) => h("b", {}, className(index)));
  const sure = image.confidence === null ? "." : ` with ${percent(image.confidence)}.`;
  return h("p", {}, "Labelled ", truth, ", called ", answer, sure);
}

function markForm(image, mark) {
  const others = session.run.classes.map((name, i) => [String(i), name]).filter(([i]) => Number(i) !== image.truth);
  let better = String(image.mark?.class ?? (image.answer !== image.truth ? image.answer : others[0]?.[0]));
  const choose = (value) => {
    better = value;
  };
  const does = (said, what) => h("button", { type: "button", on: { click: () => mark(what()) } }, said);
  return h(
    "div.row.form",
    {},
    choice("It should be", others, better, choose),
    does("Label is wrong", () => ({ kind: "label", class: Number(better) })),
    does("Leave out", () => ({ kind: "leave out" })),
    image.mark ? does("Take back", () => null) : null,
  );
}

async function setMark(held, parts, image, mark) {
  try {
    if (mark) await send("PUT", `marks/${encodeURIComponent(image.id)}`, mark);
    else await send("DELETE", `marks/${encodeURIComponent(image.id)}`);
    image.mark = mark;
    parts.images.querySelector(`[data-id="${CSS.escape(image.id)}"]`)?.classList.toggle("marked", Boolean(mark));
    if (held.image === image) showOne(held, parts, image);
    listMarks(parts);
  } catch (error) {
    parts.one.append(trouble(error));
  }
}

function listMarks({ marked: element }) {
  return awaited(element, async () => {
    const { marks, file, command } = await get("marks");
    if (!marks.length)
      return [
        h("h2", {}, "Your marks"),
        h(
          "p.soft",
          {},
          "None yet. What you mark is kept in the run and written as a table that the next training takes.",
        ),
      ];
    return [
      h(
        "div.row.spread",
        {},
        h("h2", {}, `Your ${count(marks.length, "mark")}`),
        h("a.button", { href: "/api/marks.csv", download: "marks.csv" }, "Download CSV"),
      ),
      h(
        "ul.marks",
        {},
        marks.map((one) => h("li", {}, h("b", {}, one.name), h("span.soft", {}, ` ${marked(one.mark)}`))),
      ),
      h("p.soft.small", {}, "All images with your corrections are in ", h("span.mono", {}, file), ". Train again with"),
      h("pre.mono.scroll", { tabindex: 0 }, command),
    ];
  });
}

function marked(mark) {
  return mark.kind === "leave out" ? "left out of the next training" : `marked: it is ${className(mark.class)}`;
}
