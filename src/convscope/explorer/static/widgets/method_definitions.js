/** The questions that can be asked of a network: their words, their settings, how their answers are shown. */

import { className, session } from "../lib/session.js";
import { choice } from "./parts.js";
import { figure, percent } from "../lib/numbers.js";
import { h } from "../lib/dom.js";
import { volume } from "../lib/network_tree.js";
import { write } from "../lib/router.js";

const HOW = [
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
 * Questions by name. `quick`: asked at once, others when told to; `ofClasses`: for tasks whose answer is a class.
 * @type {Object<string, {title: string, asks: string, explains: string, does: string, method: string, quick?:
 *   boolean, ofClasses?: boolean,
 *   settings: (context: any) => any, form: (context: any) => any, show: (numbers: any, result: any, context: any) =>
 * any}>}
 */
export const QUESTIONS = {
  where: {
    title: "Where does it look?",
    asks: "the places that speak for an answer",
    method: "where",
    quick: true,
    ofClasses: true,
    does: "Show",
    explains: "Which places of this picture speak for the class that the network answers, or for another one.",
    settings: ({ said, image }) => ({
      image,
      how: said.how ?? "grad_cam",
      class: said.class === undefined || said.class === "" ? null : Number(said.class),
    }),
    form: ({ said, open }) => [
      choice("How", HOW, said.how ?? "grad_cam", (how) => open({ how })),
      classChoice(said, open),
    ],
    show: (numbers, result, { image }) =>
      h(
        "div.where",
        {},
        layered(image, result.pictures.map, `Where the network looks for ${className(numbers.class)}`),
        h(
          "div.stack",
          {},
          h("p", {}, "The warmer a place, the more it speaks for ", h("b", {}, className(numbers.class)), "."),
          h(
            "p.soft.small",
            {},
            `${numbers.how.replaceAll("_", " ")}${numbers.layer ? ` at ${numbers.layer}` : ""}; from ${figure(numbers.low)} to ${figure(numbers.high)}.`,
          ),
        ),
      ),
  },
  wanted: {
    title: "What does a channel want?",
    asks: "pictures painted to excite it",
    method: "wanted",
    does: "Paint",
    explains: "A picture is painted from noise, step by step, until it excites one channel as much as possible.",
    settings: ({ said, layers, find }) => ({
      layer: said.layer ?? layers[0][0],
      channels: some(said, find(said.layer ?? layers[0][0])),
      steps: Number(said.steps ?? 256),
    }),
    form: ({ said, open, layers }) => [
      layerChoice(layers, said, open),
      channelField(said, open),
      stepsField(said, open),
    ],
    show: (numbers, result) =>
      gallery(
        numbers.channels.map((one) => ({
          picture: result.pictures[one.picture],
          title: `channel ${one.channel}`,
          text: `excited to ${figure(one.final)}; the data’s most is ${figure(one.data_max)}`,
        })),
      ),
  },
  classes: {
    title: "What is a class to it?",
    asks: "the picture it is surest of",
    method: "classes",
    ofClasses: true,
    does: "Paint",
    explains:
      "A picture painted so that the network is as sure as it can be of one class. It shows what the class is made of, to the network.",
    settings: ({ said }) => ({
      classes: said.class === undefined || said.class === "" ? [] : [Number(said.class)],
      steps: Number(said.steps ?? 256),
    }),
    form: ({ said, open }) => [classChoice(said, open, "all classes, the first 20"), stepsField(said, open)],
    show: (numbers, result) =>
      gallery(
        numbers.classes.map((one) => ({
          picture: result.pictures[one.picture],
          title: className(one.class),
          text: percent(one.probability),
        })),
      ),
  },
  stimuli: {
    title: "What excites a channel?",
    asks: "the strongest pieces of your data",
    method: "stimuli",
    does: "Search the data",
    explains:
      "Of all places of all training images, those at which a channel answers most, cut out to what the unit sees.",
    settings: ({ said, layers, find }) => ({
      layer: said.layer ?? layers[0][0],
      channels: some(said, find(said.layer ?? layers[0][0])),
      each: 9,
    }),
    form: ({ said, open, layers }) => [layerChoice(layers, said, open), channelField(said, open)],
    show: (numbers, result) =>
      numbers.channels.map((one) =>
        h(
          "section.stack",
          {},
          h("h3", {}, `Channel ${one.channel}`, one.silent ? h("span.soft", {}, " · silent on all of the data") : null),
          h(
            "div.patches",
            {},
            one.patches.map((patch) =>
              h(
                "a.patch",
                {
                  href: write("unit", {
                    image: patch.image.id,
                    layer: numbers.layer,
                    channel: one.channel,
                    row: patch.row,
                    column: patch.column,
                  }),
                  "aria-label": `${patch.image.name}, ${className(patch.image.truth)}: ${figure(patch.value)}; see its arithmetic`,
                  title: `${patch.image.name}: ${figure(patch.value)}`,
                },
                h("img", { src: result.pictures[patch.picture], alt: "", loading: "lazy" }),
                h("span", {}, figure(patch.value)),
              ),
            ),
          ),
        ),
      ),
  },
  invert: {
    title: "What does a stage keep?",
    asks: "the picture, rebuilt from its maps",
    method: "invert",
    does: "Rebuild",
    explains:
      "The picture is painted anew from nothing but a layer’s answer to it. What does not come back, the network has let go of by then.",
    settings: ({ said, image, layers }) => ({
      image,
      layer: said.layer ?? layers.at(0)[0],
      steps: Number(said.steps ?? 256),
    }),
    form: ({ said, open, layers }) => [layerChoice(layers, said, open), stepsField(said, open)],
    show: (numbers, result, { image, spoken }) =>
      gallery([
        { picture: `/api/images/${encodeURIComponent(image)}/picture.png`, title: "the picture", text: "" },
        {
          picture: result.pictures[numbers.picture],
          title: `from ${spoken(numbers.layer)}`,
          text: `difference ${figure(numbers.loss_start)} → ${figure(numbers.loss_end)}`,
        },
      ]),
  },
  filters: {
    title: "What are its filters?",
    asks: "the first weights, as pictures",
    method: "filters",
    quick: true,
    does: "Show",
    explains:
      "The first convolution’s kernels as they are. Noise in them says too little training; two alike, that one is spare.",
    settings: () => ({ layer: null }),
    form: () => null,
    show: (numbers, result) => [
      h("p", {}, found(numbers)),
      gallery(
        numbers.kernels.map((name, i) => ({ picture: result.pictures[name], title: `kernel ${i}`, text: "" })),
        "small",
      ),
    ],
  },
};

/**
 * The channels that are asked about: those said, "3,7" or "4-9", or the first few.
 * @param {{channels?: string, channel?: string}} said
 * @param {{shape: number[]} | undefined} node
 * @returns {number[]}
 */
export function some(said, node) {
  const total = node ? volume(node.shape)[0] : 1;
  const text = said.channels ?? said.channel;
  if (!text) return Array.from({ length: Math.min(6, total) }, (_, i) => i);
  const all = text
    .split(/[\s,]+/)
    .filter(Boolean)
    .flatMap((piece) => {
      const [from, to = from] = piece.split(/[-–]/).map(Number);
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
        h("figcaption", {}, h("b", {}, title), text ? h("span.soft", {}, text) : null),
      ),
    ),
  );
}

function layered(image, over, name) {
  return h(
    "div.framed.over",
    { role: "img", "aria-label": name },
    h("img.subject", { src: `/api/images/${encodeURIComponent(image)}/picture.png`, alt: "" }),
    over ? h("img.heat", { src: over, alt: "" }) : null,
  );
}

function classChoice(said, open, none = "the one it answers") {
  if (!session.run.classes.length) return null;
  return choice(
    "Class",
    [["", none], ...session.run.classes.map((name, i) => [String(i), name])],
    said.class ?? "",
    (value) => open({ class: value }),
  );
}

function layerChoice(layers, said, open) {
  const options =
    layers.some(([name]) => name === said.layer) || !said.layer ? layers : [[said.layer, said.layer], ...layers];
  return choice("Layer", options, said.layer ?? layers[0][0], (layer) => open({ layer, channel: "", channels: "" }));
}

function channelField(said, open) {
  const field = h("input", { type: "search", value: said.channels ?? said.channel ?? "", placeholder: "0-5", size: 8 });
  field.addEventListener("change", () => open({ channels: field.value, channel: "" }));
  return h("label.field", {}, "Channels", field);
}

function stepsField(said, open) {
  return choice(
    "Steps",
    [
      ["64", "64, a sketch"],
      ["256", "256"],
      ["512", "512, fine"],
    ],
    String(said.steps ?? 256),
    (steps) => open({ steps }),
  );
}

function found({ dead, duplicates }) {
  const first = dead.length ? `Kernels without weight: ${dead.join(", ")}.` : "No kernel is dead.";
  const second = duplicates.length
    ? ` Alike: ${duplicates
        .slice(0, 5)
        .map(([a, b, cosine]) => `${a} and ${b} (cosine ${figure(cosine)})`)
        .join(", ")}.`
    : " No two are alike.";
  return first + second;
}
