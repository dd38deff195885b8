/** A select field with a label. */

import { h } from "../lib/dom.js";

/**
 * A select field with a label.
 * @param {string} label
 * @param {[string, string][]} options value and text
 * @param {string} value
 * @param {(value: string) => void} onChange
 * @returns {HTMLElement}
 */
export function selectField(label, options, value, onChange) {
  const select = h(
    "select",
    { on: { change: () => onChange(select.value) } },
    options.map(([key, caption]) => h("option", { value: key, selected: key === value }, caption)),
  );
  return h("label.field", {}, label, select);
}
