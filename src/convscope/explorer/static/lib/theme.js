/** Light or dark theme: follows the system until the user chooses. */

import { repaintAll } from "./map_painting.js";
import { h } from "./dom.js";

const KEY = "convscope.theme";
const systemDark = window.matchMedia("(prefers-color-scheme: dark)");

/** Apply the theme and follow changes of the system setting. */
export function startTheme() {
  applyTheme();
  systemDark.addEventListener("change", applyTheme);
}

/**
 * Redraw an element when the theme changes, as long as it is in the document.
 * @param {Element} element
 * @param {() => void} draw
 */
export function redrawOnThemeChange(element, draw) {
  const onThemeChange = () => {
    if (element.isConnected) draw();
    else window.removeEventListener("theme", onThemeChange);
  };
  window.addEventListener("theme", onThemeChange);
}

/**
 * The theme button.
 * @returns {HTMLElement}
 */
export function themeButton() {
  const button = h("button.icon", { type: "button", on: { click: () => toggleTheme(button) } });
  labelButton(button);
  window.addEventListener("theme", () => labelButton(button));
  return button;
}

function toggleTheme(button) {
  const next = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  storeTheme(next);
  applyTheme();
  labelButton(button);
}

function applyTheme() {
  const theme = storedTheme() ?? (systemDark.matches ? "dark" : "light");
  if (document.documentElement.dataset.theme === theme) return;
  document.documentElement.dataset.theme = theme;
  repaintAll();
  window.dispatchEvent(new Event("theme"));
}

function labelButton(button) {
  const dark = document.documentElement.dataset.theme === "dark";
  button.setAttribute("aria-label", dark ? "Switch to light theme" : "Switch to dark theme");
  button.title = button.getAttribute("aria-label");
  button.textContent = dark ? "☀" : "☾";
}

function storedTheme() {
  try {
    return window.localStorage.getItem(KEY);
  } catch {
    return null; // some private windows have no storage; the page works without it
  }
}

function storeTheme(theme) {
  try {
    window.localStorage.setItem(KEY, theme);
  } catch {
    document.documentElement.dataset.theme = theme;
    repaintAll();
  }
}
