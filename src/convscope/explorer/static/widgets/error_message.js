/** Error messages, and elements that are loading. */

import { fill, h } from "../lib/dom.js";

/**
 * An error message with a retry button.
 * @param {Error} error
 * @param {() => void} [retry]
 * @returns {HTMLElement}
 */
export function errorMessage(error, retry) {
  return h(
    "div.error-message",
    { role: "alert" },
    h("p", {}, error.message),
    retry ? h("button", { type: "button", on: { click: retry } }, "Try again") : null,
  );
}

/**
 * Load something into an element: busy at first, then its children or an error message.
 * @param {HTMLElement} element
 * @param {() => Promise<any>} load returns children
 */
export async function loadInto(element, load) {
  element.setAttribute("aria-busy", "true");
  try {
    fill(element, await load());
  } catch (error) {
    if (error.name !== "AbortError")
      fill(
        element,
        errorMessage(error, () => loadInto(element, load)),
      );
  }
  element.removeAttribute("aria-busy");
}
