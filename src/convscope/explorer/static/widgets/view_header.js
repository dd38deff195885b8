/** The header of a view. */

import { session } from "../lib/session.js";
import { h } from "../lib/dom.js";
import { withTerms } from "../lib/glossary.js";
import { saveScreenshot } from "../lib/screenshot.js";

/**
 * The header of a view: title, description, and a button that saves a screenshot.
 * @param {string} title
 * @param {string} description
 * @param {() => HTMLElement} target the element to save
 * @param {...any} actions further buttons
 * @returns {HTMLElement}
 */
export function viewHeader(title, description, target, ...actions) {
  const save = async (event) => {
    event.target.disabled = true;
    await saveScreenshot(target(), `${session.run.name} ${title}`.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-"));
    event.target.disabled = false;
  };
  return h(
    "div.view-header",
    {},
    h("div", {}, h("h1", {}, title), h("p.description", {}, withTerms(description))),
    h("div.actions.no-screenshot", {}, actions, h("button", { type: "button", on: { click: save } }, "Save image")),
  );
}
