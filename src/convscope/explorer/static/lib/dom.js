/** Creates elements in one expression. Nothing is parsed as HTML, so no name or label can become markup. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * An HTML element.
 * @param {string} tag its name, with classes after dots: "button.primary"
 * @param {Object<string, any>} [attributes] attributes; `on` maps events to listeners, `style` CSS properties to values
 * @param {...any} children nodes, strings, arrays of them; null, undefined and false are omitted
 * @returns {HTMLElement}
 */
export function h(tag, attributes = {}, ...children) {
  return build(document.createElement(tag.split(".")[0]), tag, attributes, children);
}

/**
 * An SVG element; arguments as for `h`.
 * @returns {SVGElement}
 */
export function s(tag, attributes = {}, ...children) {
  return build(document.createElementNS(SVG, tag.split(".")[0]), tag, attributes, children);
}

/**
 * Replace the children of an element.
 * @param {Element} element
 * @param {...any} children as for `h`
 * @returns {Element} the element
 */
export function fill(element, ...children) {
  element.replaceChildren(...nodes(children));
  return element;
}

function build(element, tag, attributes, children) {
  const classes = tag.split(".").slice(1);
  if (classes.length) element.setAttribute("class", classes.join(" "));
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    else if (name === "style")
      for (const [key, set] of Object.entries(value)) element.style.setProperty(key, String(set));
    else if (name === "value" && "value" in element) element.value = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...nodes(children));
  return element;
}

function nodes(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
}
