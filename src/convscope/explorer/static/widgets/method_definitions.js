/** The explanation methods: their texts, settings, forms, and how results are shown. */

import { className, session } from "../lib/session.js";
import { selectField } from "./select_field.js";
import { formatNumber, formatPercent } from "../lib/numbers.js";
import { h } from "../lib/dom.js";
import { mapShape } from "../lib/network_tree.js";
import { formatRoute } from "../lib/router.js";

const ATTRIBUTION_METHODS = [
  ["grad_cam", "Grad-CAM"],
  ["grad_cam_plus_plus", "Grad-CAM++"],
  ["hires_cam", "HiResCAM"],
  ["layer_cam", "LayerCAM"],
  ["input_gradients", "input gradients"],
  ["integrated_gradients", "integrated gradients"],
  ["smooth_grad", "SmoothGrad"],
  ["occlusion", "occlusion"],
];

/**
 * Methods by name. `auto`: run at once, others on a button; `needsClasses`: only for tasks that predict classes.
 * @type {Object<string, {title: string, subtitle: string, description: string, action: string, method: string,
 *   auto?: boolean, needsClasses?: boolean,
 *   settings: (context: any) => any, form: (context: any) => any, show: (numbers: any, result: any, context: any) =>
 * any}>}
 */
export const METHODS = {
  where: {
    title: "Attribution",
    subtitle: "regions that support a class",
    method: "where",
    auto: true,
    needsClasses: true,
    action: "Show",
    description: "Which regions of the image support the predicted class, or another one.",
    settings: ({ params, image }) => ({
      image,
      how: params.how ?? "grad_cam",
      class: params.class === undefined || params.class === "" ? null : Number(params.class),
    }),
    form: ({ params, open }) => [
      selectField("Method", ATTRIBUTION_METHODS, params.how ?? "grad_cam", (how) => open({ how })),
      classChoice(params, open),
    ],
    show: (numbers, result, { image }) =>
      h(
        "div.attribution",
        {},
        heatmapOverlay(image, result.pictures.map, `Attribution map for ${className(numbers.class)}`),
        h(
          "div.stack",
          {},
          h("p", {}, "Warmer regions give more support to ", h("b", {}, className(numbers.class)), "."),
          h(
            "p.muted.small",
            {},
            `${numbers.how.replaceAll("_", " ")}${numbers.layer ? ` at ${numbers.layer}` : ""}; from ${formatNumber(numbers.low)} to ${formatNumber(numbers.high)}.`,
          ),
        ),
      ),
  },
  wanted: {
    title: "Feature visualisation",
    subtitle: "images that maximise a channel",
    method: "wanted",
    action: "Optimise",
    description: "An image is optimised from noise to maximise the activation of one channel.",
    settings: ({ params, layers, find }) => ({
      layer: params.layer ?? layers[0][0],
      channels: parseChannels(params, find(params.layer ?? layers[0][0])),
      steps: Number(params.steps ?? 256),
    }),
    form: ({ params, open, layers }) => [
      layerChoice(layers, params, open),
      channelField(params, open),
      stepsField(params, open),
    ],
    show: (numbers, result) =>
      gallery(
        numbers.channels.map((item) => ({
          picture: result.pictures[item.picture],
          title: `channel ${item.channel}`,
          text: `activation ${formatNumber(item.final)}; maximum on the data ${formatNumber(item.data_max)}`,
        })),
      ),
  },
  classes: {
    title: "Class visualisation",
    subtitle: "images that maximise a class",
    method: "classes",
    needsClasses: true,
    action: "Optimise",
    description:
      "An image optimised to maximise the probability of one class. It shows which features the network associates with it.",
    settings: ({ params }) => ({
      classes: params.class === undefined || params.class === "" ? [] : [Number(params.class)],
      steps: Number(params.steps ?? 256),
    }),
    form: ({ params, open }) => [classChoice(params, open, "all classes (first 20)"), stepsField(params, open)],
    show: (numbers, result) =>
      gallery(
        numbers.classes.map((item) => ({
          picture: result.pictures[item.picture],
          title: className(item.class),
          text: formatPercent(item.probability),
        })),
      ),
  },
  stimuli: {
    title: "Top activating patches",
    subtitle: "image regions with the strongest response",
    method: "stimuli",
    action: "Search",
    description:
      "The regions of the training images at which a channel is most active, cropped to the receptive field.",
    settings: ({ params, layers, find }) => ({
      layer: params.layer ?? layers[0][0],
      channels: parseChannels(params, find(params.layer ?? layers[0][0])),
      each: 9,
    }),
    form: ({ params, open, layers }) => [layerChoice(layers, params, open), channelField(params, open)],
    show: (numbers, result) =>
      numbers.channels.map((item) =>
        h(
          "section.stack",
          {},
          h("h3", {}, `Channel ${item.channel}`, item.silent ? h("span.muted", {}, " · inactive on all images") : null),
          h(
            "div.patches",
            {},
            item.patches.map((patch) =>
              h(
                "a.patch",
                {
                  href: formatRoute("unit", {
                    image: patch.image.id,
                    layer: numbers.layer,
                    channel: item.channel,
                    row: patch.row,
                    column: patch.column,
                  }),
                  "aria-label": `${patch.image.name}, ${className(patch.image.truth)}: ${formatNumber(patch.value)}; show its computation`,
                  title: `${patch.image.name}: ${formatNumber(patch.value)}`,
                },
                h("img", { src: result.pictures[patch.picture], alt: "", loading: "lazy" }),
                h("span", {}, formatNumber(patch.value)),
              ),
            ),
          ),
        ),
      ),
  },
  invert: {
    title: "Inversion",
    subtitle: "the image, reconstructed from its features",
    method: "invert",
    action: "Reconstruct",
    description:
      "The image is reconstructed from the activations of one layer. What is missing is information that the layer discards.",
    settings: ({ params, image, layers }) => ({
      image,
      layer: params.layer ?? layers.at(0)[0],
      steps: Number(params.steps ?? 256),
    }),
    form: ({ params, open, layers }) => [layerChoice(layers, params, open), stepsField(params, open)],
    show: (numbers, result, { image, layerLabel }) =>
      gallery([
        { picture: `/api/images/${encodeURIComponent(image)}/picture.png`, title: "the image", text: "" },
        {
          picture: result.pictures[numbers.picture],
          title: `from ${layerLabel(numbers.layer)}`,
          text: `loss ${formatNumber(numbers.loss_start)} → ${formatNumber(numbers.loss_end)}`,
        },
      ]),
  },
  filters: {
    title: "Filters",
    subtitle: "kernels of the first convolution",
    method: "filters",
    auto: true,
    action: "Show",
    description:
      "The kernels of the first convolution. Noisy kernels indicate too little training; duplicates are redundant.",
    settings: () => ({ layer: null }),
    form: () => null,
    show: (numbers, result) => [
      h("p", {}, filterSummary(numbers)),
      gallery(
        numbers.kernels.map((name, i) => ({ picture: result.pictures[name], title: `kernel ${i}`, text: "" })),
        "small",
      ),
    ],
  },
};

/**
 * The requested channels: those given, "3,7" or "4-9", or the first few.
 * @param {{channels?: string, channel?: string}} params
 * @param {{shape: number[]} | undefined} node
 * @returns {number[]}
 */
export function parseChannels(params, node) {
  const total = node ? mapShape(node.shape)[0] : 1;
  const text = params.channels ?? params.channel;
  if (!text) return Array.from({ length: Math.min(6, total) }, (_, i) => i);
  const all = text
    .split(/[\s,]+/)
    .filter(Boolean)
    .flatMap((range) => {
      const [from, to = from] = range.split(/[-–]/).map(Number);
      return Number.isInteger(from) && Number.isInteger(to) && to >= from
        ? Array.from({ length: Math.min(32, to - from + 1) }, (_, i) => from + i)
        : [];
    });
  return [...new Set(all)].filter((channel) => channel < total).slice(0, 32);
}

function gallery(pictures, size = "") {
  return h(
    "div",
    { class: `gallery ${size}` },
    pictures.map(({ picture, title, text }) =>
      h(
        "figure",
        {},
        h("img", { src: picture, alt: `${title} ${text}`.trim(), loading: "lazy" }),
        h("figcaption", {}, h("b", {}, title), text ? h("span.muted", {}, text) : null),
      ),
    ),
  );
}

function heatmapOverlay(image, over, name) {
  return h(
    "div.image-frame",
    { role: "img", "aria-label": name },
    h("img.image", { src: `/api/images/${encodeURIComponent(image)}/picture.png`, alt: "" }),
    over ? h("img.heatmap", { src: over, alt: "" }) : null,
  );
}

function classChoice(params, open, none = "the predicted class") {
  if (!session.run.classes.length) return null;
  return selectField(
    "Class",
    [["", none], ...session.run.classes.map((name, i) => [String(i), name])],
    params.class ?? "",
    (value) => open({ class: value }),
  );
}

function layerChoice(layers, params, open) {
  const options =
    layers.some(([name]) => name === params.layer) || !params.layer
      ? layers
      : [[params.layer, params.layer], ...layers];
  return selectField("Layer", options, params.layer ?? layers[0][0], (layer) =>
    open({ layer, channel: "", channels: "" }),
  );
}

function channelField(params, open) {
  const field = h("input", {
    type: "search",
    value: params.channels ?? params.channel ?? "",
    placeholder: "0-5",
    size: 8,
  });
  field.addEventListener("change", () => open({ channels: field.value, channel: "" }));
  return h("label.field", {}, "Channels", field);
}

function stepsField(params, open) {
  return selectField(
    "Steps",
    [
      ["64", "64 (draft)"],
      ["256", "256"],
      ["512", "512 (fine)"],
    ],
    String(params.steps ?? 256),
    (steps) => open({ steps }),
  );
}

function filterSummary({ dead, duplicates }) {
  const first = dead.length ? `Dead kernels: ${dead.join(", ")}.` : "No dead kernels.";
  const second = duplicates.length
    ? ` Duplicates: ${duplicates
        .slice(0, 5)
        .map(([a, b, cosine]) => `${a} and ${b} (cosine ${formatNumber(cosine)})`)
        .join(", ")}.`
    : " No duplicates.";
  return first + second;
}
