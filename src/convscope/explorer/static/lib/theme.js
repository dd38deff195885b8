/** Light or dark: what the system says, until the person says otherwise. */

import { repaint } from "./map_painting.js";
import { h } from "./dom.js";

const KEY = "convscope.theme";
const system = window.matchMedia("(prefers-color-scheme: dark)");

/** Show the theme that holds, and go with the system's changes. */
export function startTheme() {
  show();
  system.addEventListener("change", show);
}

/**
 * Draw an element again when the theme changes, as long as it is on the page.
 * @param {Element} element
 * @param {() => void} draw
 */
export function redrawn(element, draw) {
  const again = () => {
    if (element.isConnected) draw();
    else window.removeEventListener("theme", again);
  };
  window.addEventListener("theme", again);
}

/**
 * The switch.
 * @returns {HTMLElement}
 */
export function themeSwitch() {
  const button = h("button.icon", { type: "button", on: { click: () => turn(button) } });
  name(button);
  window.addEventListener("theme", () => name(button));
  return button;
}

function turn(button) {
  const next = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  keep(next);
  show();
  name(button);
}

function show() {
  const theme = kept() ?? (system.matches ? "dark" : "light");
  if (document.documentElement.dataset.theme === theme) return;
  document.documentElement.dataset.theme = theme;
  repaint();
  window.dispatchEvent(new Event("theme"));
}

function name(button) {
  const dark = document.documentElement.dataset.theme === "dark";
  button.setAttribute("aria-label", dark ? "Show in light colours" : "Show in dark colours");
  button.title = button.getAttribute("aria-label");
  button.textContent = dark ? "☀" : "☾";
}

function kept() {
  try {
    return window.localStorage.getItem(KEY);
  } catch {
    return null; // storage is forbidden in some private windows; the page works without
  }
}

function keep(theme) {
  try {
    window.localStorage.setItem(KEY, theme);
  } catch {
    document.documentElement.dataset.theme = theme;
    repaint();
  }
}
