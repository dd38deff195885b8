/** View: the errors of the network. With one class per image the confusion matrix, else the images, worst first. */

import { apiUrl, getJson } from "../lib/api.js";
import { fill, h } from "../lib/dom.js";
import { formatCount } from "../lib/numbers.js";
import { currentRoute, formatRoute, navigate } from "../lib/router.js";
import { className, session } from "../lib/session.js";
import { answerDetails } from "../widgets/answer_details.js";
import { answerLayers } from "../widgets/answer_layers.js";
import { errorMessage, loadInto } from "../widgets/error_message.js";
import { jobPanel } from "../widgets/job_panel.js";
import { selectField } from "../widgets/select_field.js";
import { answerThumbnailUrl, thumbnails } from "../widgets/thumbnails.js";
import { viewHeader } from "../widgets/view_header.js";
import { confusionView } from "./confusion.js";

const PAGE = 24;

/**
 * The view.
 */
export function errorsView() {
  return session.run.views.confusion ? confusionView() : worstImagesView();
}

function worstImagesView() {
  const state = { image: null, job: null };
  const parts = { list: h("section.card.stack"), detail: h("section.card.stack.image-card") };
  const element = h("div.stack");
  fill(
    element,
    viewHeader(
      "Errors",
      "The images with the largest errors come first. Choose one to see the prediction beside the label, and why the network predicts it.",
      () => element,
    ),
    h("div.worst-images", {}, parts.detail, parts.list),
  );
  return { element, show: (params) => show(state, parts, params), leave: () => state.job?.leave() };
}

function show(state, parts, params) {
  const split = params.split ?? "validation";
  const from = Number(params.from) || 0;
  const open = (changes) => navigate("confusion", { ...currentRoute().params, ...changes }, { quiet: true });
  const splits = ["validation", "train"].filter((name) => session.run.splits[name]).map((name) => [name, name]);
  const mistakes = params.all !== "1";
  const only = h("input", { type: "checkbox", checked: mistakes });
  only.addEventListener("change", () => open({ all: only.checked ? "" : "1", from: "" }));
  const head = h(
    "div.row.space-between",
    {},
    h("h2", {}, "Worst first"),
    selectField("Split", splits, split, (value) => open({ split: value, from: "" })),
  );
  parts.detail.hidden = true;
  loadInto(parts.list, async () => {
    try {
      const response = await getJson("images", { split, mistakes, order: "worst", from, count: PAGE });
      const chosen = response.images.find((image) => image.id === params.image) ?? response.images[0];
      showDetail(state, parts, chosen);
      return [head, h("label.check", {}, only, "mistakes only"), imageList(state, parts, response, { from, open })];
    } catch (error) {
      if (error.kind !== "not available") throw error;
      return [head, evaluatePrompt(state, parts, split)];
    }
  });
}

function imageList(state, parts, response, { from, open }) {
  const button = (offset, label) =>
    h(
      "button",
      {
        type: "button",
        disabled: from + offset < 0 || from + offset >= response.total,
        on: { click: () => open({ from: from + offset || "" }) },
      },
      label,
    );
  return [
    h("p.muted.small", {}, formatCount(response.total, "image")),
    response.images.length ? null : h("p.empty", {}, "None: no prediction is far from its label."),
    thumbnails(response.images, {
      onPick: (image) => {
        showDetail(state, parts, image);
        parts.detail.scrollIntoView({ block: "nearest" });
      },
      selected: state.image?.id,
      line: (image) => image.note,
      url: answerThumbnailUrl,
    }),
    response.total > PAGE ? h("div.row.no-screenshot", {}, button(-PAGE, "Previous"), button(PAGE, "Next")) : null,
  ];
}

function evaluatePrompt(state, parts, split) {
  const prompt = h("div.stack", {}, h("p.muted", {}, `The ${split} images have not been evaluated yet.`));
  const evaluate = () => {
    state.job = jobPanel("predictions", { split }, () => {
      show(state, parts, currentRoute().params);
      return null;
    });
    fill(prompt, state.job.element);
  };
  const label = `Evaluate all ${session.run.splits[split].toLocaleString("en-US")} images`;
  prompt.append(h("button.primary", { type: "button", on: { click: evaluate } }, label));
  return prompt;
}

async function showDetail(state, parts, image) {
  state.image = image ?? null;
  for (const button of parts.list.querySelectorAll(".thumbnail")) {
    if (button.dataset.id === image?.id) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  }
  parts.detail.hidden = !image;
  if (!image) return;
  try {
    const input = await getJson(`inputs/${encodeURIComponent(image.id)}`);
    if (state.image !== image) return;
    const layers = answerLayers();
    fill(
      parts.detail,
      h("div.image-detail", {}, pictureOf(image, layers), h("div.stack", {}, ...textOf(image, input), layers.controls)),
    );
    layers.show(input);
  } catch (error) {
    fill(parts.detail, errorMessage(error));
  }
}

function textOf(image, input) {
  const link = (view, label, params) => h("a.button", { href: formatRoute(view, { image: image.id, ...params }) }, label);
  return [
    h("div", {}, h("h2", {}, image.name), h("p.error-note", {}, image.note)),
    ...answerDetails(input.answer),
    input.answer.boxes.length || input.answer.numbers.length || input.scores.length
      ? null
      : h("p.muted", {}, input.lines.join(" · ")),
    h(
      "div.row",
      {},
      link("network", "Show in network"),
      link("methods", "Why? Attribution", { method: "attribution" }),
    ),
    session.run.answers_pixels
      ? h("p.muted.small", {}, "Click a pixel of the image to see which positions its class depends on.")
      : null,
  ].filter(Boolean);
}

function pictureOf(image, layers) {
  const picture = h("img.image", {
    src: apiUrl(`images/${encodeURIComponent(image.id)}/picture.png`),
    alt: `Image ${image.name}${image.truth === null ? "" : `, ${className(image.truth)}`}`,
  });
  const frame = h("div.image-frame", {}, picture, layers.layers);
  if (!session.run.answers_pixels) return frame;
  frame.classList.add("explained-picture");
  frame.addEventListener("click", (event) => {
    const box = picture.getBoundingClientRect();
    const { height, width } = session.run.input;
    const row = Math.min(height - 1, Math.floor(((event.clientY - box.top) / box.height) * height));
    const column = Math.min(width - 1, Math.floor(((event.clientX - box.left) / box.width) * width));
    navigate("methods", { image: image.id, method: "attribution", "set.pixel": `${row},${column}` });
  });
  return frame;
}
