/** View: the confusion matrix, the images of its cells, and label corrections for the next training. */

import { apiUrl, getJson, send } from "../lib/api.js";
import { loadInto, errorMessage } from "../widgets/error_message.js";
import { selectField } from "../widgets/select_field.js";
import { thumbnails } from "../widgets/thumbnails.js";
import { viewHeader } from "../widgets/view_header.js";
import { className, subscribe, session } from "../lib/session.js";
import { formatCount, formatPercent } from "../lib/numbers.js";
import { fill, h } from "../lib/dom.js";
import { navigate, currentRoute, formatRoute } from "../lib/router.js";
import { confusionMatrix } from "../widgets/confusion_matrix.js";
import { jobPanel } from "../widgets/job_panel.js";

const PAGE = 60;

/**
 * The view.
 */
export function confusionView() {
  const state = { params: {}, image: null, job: null };
  const parts = {
    table: h("section.card.stack"),
    images: h("section.card.stack"),
    detail: h("section.card.stack.image-card"),
    corrections: h("section.card.stack.no-screenshot"),
  };
  const element = h("div.stack", {});
  fill(
    element,
    viewHeader(
      "Errors",
      "Choose a cell to see its images; correct wrong labels or exclude images, and train again with the corrections.",
      () => element,
    ),
    h(
      "div.confusion",
      {},
      h("div.stack", {}, parts.table, parts.corrections),
      h("div.stack", {}, parts.detail, parts.images),
    ),
  );
  const stop = subscribe("corrections", () => listCorrections(parts));
  listCorrections(parts);
  return {
    element,
    show: (params) => show(state, parts, params),
    leave: () => {
      stop();
      state.job?.leave();
    },
  };
}

async function show(state, parts, params) {
  state.params = params;
  const split = params.split ?? "validation";
  const cell =
    params.truth !== undefined && params.predicted !== undefined
      ? [Number(params.truth), Number(params.predicted)]
      : null;
  const open = (changes) => navigate("confusion", { ...currentRoute().params, ...changes }, { quiet: true });
  const splits = ["validation", "train"].filter((name) => session.run.splits[name]).map((name) => [name, name]);
  const title = h(
    "div.row.space-between",
    {},
    h("h2", {}, "Confusion matrix"),
    selectField("Split", splits, split, (value) => open({ split: value, truth: "", predicted: "" })),
  );
  if (!session.run.views.confusion) {
    fill(
      parts.table,
      h("h2", {}, "Confusion matrix"),
      h("p.muted", {}, session.run.unavailable?.confusion ?? "This task has no confusion matrix."),
    );
    for (const part of [parts.images, parts.detail, parts.corrections]) part.hidden = true;
    return;
  }
  try {
    const response = await getJson("confusion", { split });
    fill(
      parts.table,
      title,
      h("p.muted", {}, accuracyText(response.counts)),
      h(
        "div.scroll",
        {},
        confusionMatrix(response.classes, response.counts, {
          selected: cell,
          onPick: (truth, predicted) => open({ truth, predicted, from: "" }),
        }),
      ),
    );
  } catch (error) {
    const content = error.kind === "not available" ? evaluatePrompt(state, parts, split) : errorMessage(error);
    fill(parts.table, title, content);
  }
  showImages(state, parts, split, cell, open);
}

/**
 * The counts as a sentence.
 * @param {number[][]} counts
 * @returns {string}
 */
export function accuracyText(counts) {
  const all = counts.flat().reduce((sum, number) => sum + number, 0);
  const correct = counts.reduce((sum, row, i) => sum + row[i], 0);
  if (!all) return "No images in this split.";
  return `${formatCount(all - correct, "image")} of ${all.toLocaleString("en-US")} misclassified; ${formatPercent(correct / all)} correct.`;
}

function evaluatePrompt(state, parts, split) {
  const prompt = h("div.stack", {}, h("p.muted", {}, `The ${split} images have not been evaluated yet.`));
  const start = h(
    "button.primary",
    {
      type: "button",
      on: {
        click: () => {
          state.job = jobPanel("predictions", { split }, () => {
            show(state, parts, state.params);
            return null;
          });
          fill(prompt, state.job.element);
        },
      },
    },
    `Evaluate all ${session.run.splits[split].toLocaleString("en-US")} images`,
  );
  prompt.append(start);
  return prompt;
}

function showImages(state, parts, split, cell, open) {
  const from = Number(state.params.from) || 0;
  const title = cell
    ? cell[0] === cell[1]
      ? `Correctly predicted ${className(cell[0])}`
      : `Label ${className(cell[0])}, predicted ${className(cell[1])}`
    : "All misclassified images";
  const all = () => open({ truth: "", predicted: "", from: "" });
  const back = h("button", { type: "button", on: { click: all } }, "All misclassified images");
  loadInto(parts.images, async () => {
    const response = cell
      ? await getJson("confusion/cell", { split, truth: cell[0], predicted: cell[1], from, count: PAGE })
      : await getJson("images", { split, mistakes: true, order: "most_confident", from, count: PAGE });
    const shown = response.images.find((image) => image.id === state.image?.id) ?? response.images[0] ?? null;
    showDetail(state, parts, shown);
    return [
      h("div.row.space-between", {}, h("h2", {}, title), cell ? back : null),
      response.images.length
        ? h("p.muted.small", {}, `${formatCount(response.total, "image")}, most confident first`)
        : h("p.empty", {}, "None."),
      thumbnails(response.images, {
        onPick: (image) => {
          showDetail(state, parts, image);
          parts.detail.scrollIntoView({ block: "nearest" });
        },
        selected: shown?.id,
        line: predictionLabel,
      }),
      response.total > PAGE ? pageButtons(from, response.total, open) : null,
    ];
  });
}

function pageButtons(from, total, open) {
  const button = (offset, label) => {
    const disabled = from + offset < 0 || from + offset >= total;
    return h("button", { type: "button", disabled, on: { click: () => open({ from: from + offset || "" }) } }, label);
  };
  return h("div.row.no-screenshot", {}, button(-PAGE, "Previous"), button(PAGE, "Next"));
}

function predictionLabel(image) {
  return image.confidence === null
    ? className(image.predicted)
    : `${className(image.predicted)} ${formatPercent(image.confidence)}`;
}

function showDetail(state, parts, image) {
  state.image = image;
  for (const button of parts.images.querySelectorAll(".thumbnail")) {
    if (button.dataset.id === image?.id) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  }
  parts.detail.hidden = !image;
  if (!image) return;
  const src = apiUrl(`images/${encodeURIComponent(image.id)}/thumbnail.png`, { side: 256 });
  const links = h(
    "div.row",
    {},
    h("a.button", { href: formatRoute("network", { image: image.id }) }, "Show in network"),
    h("a.button", { href: formatRoute("methods", { image: image.id, method: "attribution" }) }, "Attribution"),
    whyLink(image),
  );
  const note = image.correction ? h("p.error", { role: "status" }, correctionText(image.correction)) : null;
  const form = correctionForm(image, (correction) => saveCorrection(state, parts, image, correction));
  fill(
    parts.detail,
    h(
      "div.image-detail",
      {},
      h("img.image", { src, alt: `Image ${image.name}`, width: 192, height: 192 }),
      h("div.stack", {}, h("div", {}, h("h2", {}, image.name), labelSentence(image)), note, form, links),
    ),
  );
}

/** Why the predicted class and not the label: the difference of their scores, attributed to the pixels. */
function whyLink({ id, truth, predicted }) {
  if (truth === null || predicted === null || truth === predicted) return null;
  const settings = { "set.target": className(predicted), "set.against": className(truth) };
  const text = `Why ${className(predicted)} and not ${className(truth)}?`;
  return h("a.button", { href: formatRoute("methods", { image: id, method: "attribution", ...settings }) }, text);
}

function labelSentence(image) {
  const [truth, predicted] = [image.truth, image.predicted].map((index) => h("b", {}, className(index)));
  const confidence = image.confidence === null ? "." : ` with ${formatPercent(image.confidence)}.`;
  return h("p", {}, "Label ", truth, ", predicted ", predicted, confidence);
}

function correctionForm(image, onSave) {
  const otherClasses = session.run.classes
    .map((name, i) => [String(i), name])
    .filter(([i]) => Number(i) !== image.truth);
  const suggested = image.predicted !== image.truth ? image.predicted : otherClasses[0]?.[0];
  let selected = String(image.correction?.class ?? suggested);
  const choose = (value) => {
    selected = value;
  };
  const button = (label, correct) => h("button", { type: "button", on: { click: () => onSave(correct()) } }, label);
  return h(
    "div.row.form",
    {},
    selectField("Correct label", otherClasses, selected, choose),
    button("Change label", () => ({ kind: "label", class: Number(selected) })),
    button("Exclude", () => ({ kind: "exclude" })),
    image.correction ? button("Undo", () => null) : null,
  );
}

async function saveCorrection(state, parts, image, correction) {
  try {
    if (correction) await send("PUT", `corrections/${encodeURIComponent(image.id)}`, correction);
    else await send("DELETE", `corrections/${encodeURIComponent(image.id)}`);
    image.correction = correction;
    const thumbnail = parts.images.querySelector(`[data-id="${CSS.escape(image.id)}"]`);
    thumbnail?.classList.toggle("corrected", Boolean(correction));
    if (state.image === image) showDetail(state, parts, image);
    listCorrections(parts);
  } catch (error) {
    parts.detail.append(errorMessage(error));
  }
}

function listCorrections({ corrections: element }) {
  return loadInto(element, async () => {
    const { corrections, file, command } = await getJson("corrections");
    if (!corrections.length)
      return [
        h("h2", {}, "Corrections"),
        h("p.muted", {}, "None yet. Corrections are saved in the run and as a table that the next training reads."),
      ];
    return [
      h(
        "div.row.space-between",
        {},
        h("h2", {}, formatCount(corrections.length, "correction")),
        h("a.button", { href: "/api/corrections.csv", download: "corrections.csv" }, "Download CSV"),
      ),
      h(
        "ul.corrections",
        {},
        corrections.map((item) =>
          h("li", {}, h("b", {}, item.name), h("span.muted", {}, ` ${correctionText(item.correction)}`)),
        ),
      ),
      h(
        "p.muted.small",
        {},
        "All images with the corrected labels are listed in ",
        h("span.mono", {}, file),
        ". Train again with:",
      ),
      h("pre.mono.scroll", { tabindex: 0 }, command),
    ];
  });
}

function correctionText(correction) {
  if (correction.kind === "exclude") return "excluded from the next training";
  return `corrected label: ${className(correction.class)}`;
}
