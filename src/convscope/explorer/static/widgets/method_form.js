/** The form of an explain method, built from the JSON Schema of its settings. */

import { h } from "../lib/dom.js";
import { session } from "../lib/session.js";

const PREFIX = "set.";
const SHOWN_IMAGE = "shown";

/**
 * A field of a form.
 * @typedef {{name: string, description: string, type: string, multiple: boolean, choices: string[], auto: string,
 *   widget: string, value: any, minimum?: number, maximum?: number}} Field
 */

/**
 * The fields of a settings schema, in its order.
 * @param {{properties: Object<string, any>}} schema
 * @returns {Field[]}
 */
export function schemaFields(schema) {
  return Object.entries(schema.properties).map(([name, property]) => {
    const plain = property.anyOf?.find(({ type }) => type !== "null") ?? property;
    const item = plain.type === "array" ? plain.items : plain;
    return {
      name,
      description: property.description,
      type: item.type,
      multiple: plain.type === "array",
      choices: item.enum ?? [],
      auto: property.auto ?? "",
      widget: property.widget ?? "",
      value: property.default,
      minimum: item.minimum,
      maximum: item.maximum,
    };
  });
}

/**
 * The settings in the route; all others have their defaults.
 * @param {Field[]} fields
 * @param {{params: Object<string, string>, image: string}} context
 * @returns {Object<string, any>}
 */
export function formSettings(fields, { params, image }) {
  const settings = {};
  for (const field of fields) {
    const text = fieldText(field, params);
    if (field.widget === "image" && text === SHOWN_IMAGE) settings[field.name] = image ? [image] : [];
    else if (field.widget === "pixel") Object.assign(settings, text ? { [field.name]: text.split(",").map(Number) } : {});
    else if (text !== "") settings[field.name] = parseValue(field, text);
  }
  return settings;
}

/**
 * Numbers from a list with ranges, "3,7" or "4-9".
 * @param {string} text
 * @returns {number[]}
 */
export function parseNumbers(text) {
  const numbers = text
    .split(/[\s,]+/)
    .filter(Boolean)
    .flatMap((range) => {
      const [from, to = from] = range.split(/[-–]/).map(Number);
      if (!Number.isInteger(from) || !Number.isInteger(to) || to < from) return [];
      return Array.from({ length: Math.min(256, to - from + 1) }, (_, i) => from + i);
    });
  return [...new Set(numbers)];
}

/**
 * The form.
 * @param {Field[]} fields
 * @param {{params: Object<string, string>, open: (changes: Object<string, string>) => void,
 *   layers: [string, string][]}} context
 * @returns {HTMLElement}
 */
export function methodForm(fields, context) {
  return h(
    "div.method-form",
    {},
    fields.filter(isOffered).map((field) => {
      // A space is kept in the route, where an empty value would be omitted and mean "not chosen yet".
      const change = (text) => context.open({ [PREFIX + field.name]: text === "" ? " " : text });
      return h(
        "label.field",
        {},
        h("span", {}, field.name.replaceAll("_", " ")),
        control(field, fieldText(field, context.params), change, context.layers),
        h("small.muted", {}, field.description),
      );
    }),
  );
}

function isOffered({ widget }) {
  return widget !== "pixel" || session.run.answers_pixels;
}

/** The text of a field: as in the route, else what is selected in the page, else empty, which means the default. */
function fieldText({ name, widget }, params) {
  const given = params[PREFIX + name];
  if (given !== undefined) return given.trim();
  if (widget === "image") return SHOWN_IMAGE;
  if (widget === "layer") return params.layer ?? "";
  if (widget === "channels" && params.layer) return params.channel ?? "";
  return "";
}

function parseValue({ type, multiple }, text) {
  if (!multiple) return type === "string" ? text : Number(text);
  return type === "string" ? text.split(",").map((word) => word.trim()) : parseNumbers(text);
}

function control(field, text, change, layers) {
  const options = fieldOptions(field, layers);
  if (options) {
    const known = options.some(([value]) => value === text) ? options : [[text, text], ...options];
    const select = h(
      "select",
      { on: { change: () => change(select.value) } },
      known.map(([value, caption]) => h("option", { value, selected: value === text }, caption)),
    );
    return select;
  }
  const isNumber = field.type !== "string" && !field.multiple;
  const input = h("input", {
    type: isNumber ? "number" : "search",
    value: text,
    placeholder: field.auto || String(field.value),
    min: field.minimum,
    max: field.maximum,
    on: { change: () => change(input.value) },
  });
  return input;
}

function fieldOptions({ widget, choices, auto, value }, layers) {
  const none = ["", auto || String(value).replaceAll(",", ", ")];
  if (widget === "image") return [[SHOWN_IMAGE, "the image shown"], none, ["mistakes", "mistakes"]];
  if (widget === "layer" || widget === "layers") return [none, ...layers];
  if (widget === "answer") return [none, ...session.run.answers.map((name) => [name, name])];
  if (widget === "class") return [none, ...session.run.classes.map((name) => [name, name])];
  return choices.length ? [none, ...choices.map((one) => [one, one.replaceAll("_", " ")])] : null;
}
