/** Parts that several views show: heads, probabilities, thumbnails, what went wrong. */

import { address } from "../lib/api.js";
import { className, session } from "../lib/session.js";
import { fill, h } from "../lib/dom.js";
import { percent } from "../lib/numbers.js";
import { roving } from "../lib/grid_keys.js";
import { savePicture } from "../lib/screenshot.js";

/**
 * A view's head: its title, one sentence, and "save picture" of what is below.
 * @param {string} title
 * @param {string} lede
 * @param {() => HTMLElement} pictured
 * @param {...any} actions more buttons
 * @returns {HTMLElement}
 */
export function head(title, lede, pictured, ...actions) {
  const save = async (event) => {
    event.target.disabled = true;
    await savePicture(pictured(), `${session.run.name} ${title}`.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-"));
    event.target.disabled = false;
  };
  return h(
    "div.head",
    {},
    h("div", {}, h("h1", {}, title), h("p.lede", {}, lede)),
    h("div.actions.unsaved", {}, actions, h("button", { type: "button", on: { click: save } }, "Save picture")),
  );
}

/**
 * What went wrong, in the server's sentence, with a way on.
 * @param {Error} error
 * @param {() => void} [again]
 * @returns {HTMLElement}
 */
export function trouble(error, again) {
  return h(
    "div.trouble",
    { role: "alert" },
    h("p", {}, error.message),
    again ? h("button", { type: "button", on: { click: again } }, "Try again") : null,
  );
}

/**
 * Put something that has yet to come into an element: first that it is awaited, then it, or what went wrong.
 * @param {HTMLElement} element
 * @param {() => Promise<any>} make gives children
 */
export async function awaited(element, make) {
  element.setAttribute("aria-busy", "true");
  try {
    fill(element, await make());
  } catch (error) {
    if (error.name !== "AbortError")
      fill(
        element,
        trouble(error, () => awaited(element, make)),
      );
  }
  element.removeAttribute("aria-busy");
}

/**
 * The most probable classes as bars; where a task has no classes, its own words.
 * @param {{answer: {class: number, probability: number}[], said: string[], truth: number | null}} input
 * @param {number} [most]
 * @param {boolean} [still] few classes keep their places, so that bars rise and fall where they are
 * @returns {HTMLElement}
 */
export function answers(input, most = 5, still = false) {
  if (!input.answer.length)
    return h(
      "ul.bars",
      {},
      input.said.map((line) => h("li", {}, line)),
    );
  const shown = input.answer.slice(0, most);
  if (still && input.answer.length <= most) shown.sort((a, b) => a.class - b.class);
  return h(
    "ul.bars",
    {},
    shown.map((one) => {
      const name = className(one.class);
      return h(
        "li",
        { class: one === input.answer[0] ? "best" : null },
        h(
          "span.label",
          { title: name },
          name,
          one.class === input.truth ? h("span.good", { title: "what it is" }, " ✓") : null,
        ),
        h("span.track", { "aria-hidden": "true" }, h("i", { style: { "--much": one.probability } })),
        h("span.value", {}, percent(one.probability)),
      );
    }),
  );
}

/**
 * The answer in one sentence, for those who hear it.
 * @returns {string}
 */
export function answerInWords(input) {
  if (!input.answer.length) return input.said.join(", ");
  return input.answer
    .slice(0, 3)
    .map((one) => `${className(one.class)} ${percent(one.probability)}`)
    .join(", ");
}

/**
 * An image's small picture.
 * @param {string} id
 * @param {number} [side]
 * @returns {string} its address
 */
export function thumbnail(id, side = 96) {
  return address(`images/${encodeURIComponent(id)}/thumbnail.png`, { side });
}

/**
 * A grid of images that can be chosen.
 * @param {any[]} images IMAGE of docs/explorer-api.md
 * @param {{onPick: (image: any) => void, chosen?: string, line?: (image: any) => string}} how line: what stands below
 *   each
 * @returns {HTMLElement}
 */
export function thumbs(images, { onPick, chosen, line = called }) {
  const one = (image) => {
    const wrong = image.answer !== null && image.truth !== null && image.answer !== image.truth;
    const said = line(image);
    return h(
      "button",
      {
        type: "button",
        class: `thumb${wrong ? " wrong" : ""}${image.mark ? " marked" : ""}`,
        "data-id": image.id,
        "aria-label": `${image.name}, ${said}${image.mark ? ", marked" : ""}`,
        title: image.name,
        "aria-current": image.id === chosen ? "true" : null,
        on: { click: () => onPick(image) },
      },
      h("img", { src: thumbnail(image.id), alt: "", loading: "lazy", width: 96, height: 96 }),
      h("span", {}, said),
    );
  };
  return roving(h("div.thumbs", { role: "group", "aria-label": "Images" }, images.map(one)));
}

/**
 * What an image is and was called, short.
 * @returns {string}
 */
export function called(image) {
  if (image.truth === null) return image.name;
  if (image.answer === null || image.answer === image.truth) return className(image.truth);
  return `${className(image.truth)}, called ${className(image.answer)}`;
}

/**
 * A labelled choice.
 * @param {string} label
 * @param {[string, string][]} options value and what it says
 * @param {string} value
 * @param {(value: string) => void} onChange
 * @returns {HTMLElement}
 */
export function choice(label, options, value, onChange) {
  const select = h(
    "select",
    { on: { change: () => onChange(select.value) } },
    options.map(([key, said]) => h("option", { value: key, selected: key === value }, said)),
  );
  return h("label.field", {}, label, select);
}
