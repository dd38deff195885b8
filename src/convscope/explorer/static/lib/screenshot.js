/**
 * Screenshots: an element as displayed, painted on a canvas node by node, without rendering it again.
 */

const SVG_STYLES = [
  "fill",
  "fill-opacity",
  "stroke",
  "stroke-width",
  "stroke-opacity",
  "stroke-dasharray",
  "stroke-linejoin",
  "stroke-linecap",
  "opacity",
  "font-family",
  "font-size",
  "font-weight",
  "font-style",
  "text-anchor",
  "dominant-baseline",
  "visibility",
  "display",
];

/**
 * Download an element as a PNG.
 * @param {HTMLElement} element
 * @param {string} name file name without .png
 */
export async function saveScreenshot(element, name) {
  const canvas = await screenshot(element);
  const blob = await new Promise((done) => {
    canvas.toBlob(done, "image/png");
  });
  downloadFile(blob, `${name}.png`);
}

/**
 * Download a file.
 * @param {Blob} blob
 * @param {string} name
 */
export function downloadFile(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/**
 * Paint an element as it is displayed.
 * @param {HTMLElement} element
 * @returns {Promise<HTMLCanvasElement>} at twice the displayed size, at most 8,192 pixels per side
 */
export async function screenshot(element) {
  const box = element.getBoundingClientRect();
  const margin = 24;
  const width = box.width + 2 * margin;
  const height = box.height + 2 * margin;
  const zoom = Math.min(2, 8192 / Math.max(width, height));
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [Math.ceil(width * zoom), Math.ceil(height * zoom)];
  const context = canvas.getContext("2d");
  context.scale(zoom, zoom);
  context.fillStyle = getComputedStyle(document.body).backgroundColor;
  context.fillRect(0, 0, width, height);
  context.translate(margin - box.left, margin - box.top);
  await paintNode(context, element);
  return canvas;
}

async function paintNode(context, node) {
  if (node.nodeType === Node.TEXT_NODE) return paintText(context, node);
  if (node.nodeType !== Node.ELEMENT_NODE) return undefined;
  const style = getComputedStyle(node);
  if (
    node.checkVisibility?.({ visibilityProperty: true }) === false ||
    style.display === "none" ||
    node.matches(".visually-hidden, .no-screenshot")
  )
    return undefined;
  const box = node.getBoundingClientRect();
  context.save();
  context.globalAlpha *= Number(style.opacity);
  paintBox(context, box, style);
  if (clipsOverflow(style)) clip(context, box, style);
  if (node.tagName === "CANVAS" || node.tagName === "IMG") paintImage(context, node, box, style);
  else if (node.tagName === "svg") await paintSvg(context, node, box);
  else if (node.matches("select, input")) paintControl(context, node, box, style);
  else for (const child of node.childNodes) await paintNode(context, child);
  context.restore();
  return undefined;
}

function clipsOverflow(style) {
  return style.overflowX !== "visible" || style.overflowY !== "visible";
}

function clip(context, box, style) {
  outline(context, box, style);
  context.clip();
}

function outline(context, box, style) {
  context.beginPath();
  context.roundRect(
    box.left,
    box.top,
    box.width,
    box.height,
    Math.min(parseFloat(style.borderTopLeftRadius) || 0, box.width / 2, box.height / 2),
  );
}

function paintBox(context, box, style) {
  outline(context, box, style);
  if (style.backgroundColor !== "rgba(0, 0, 0, 0)") {
    context.fillStyle = style.backgroundColor;
    context.fill();
  }
  const edges = { Top: [0, 0, 1, 0], Bottom: [0, 1, 1, 1], Left: [0, 0, 0, 1], Right: [1, 0, 1, 1] };
  const wide = Object.keys(edges).filter((side) => parseFloat(style[`border${side}Width`]) > 0);
  for (const side of wide) {
    context.strokeStyle = style[`border${side}Color`];
    context.lineWidth = parseFloat(style[`border${side}Width`]);
    if (wide.length < 4) {
      const [x0, y0, x1, y1] = edges[side];
      context.beginPath();
      context.moveTo(box.left + x0 * box.width, box.top + y0 * box.height);
      context.lineTo(box.left + x1 * box.width, box.top + y1 * box.height);
    }
    context.stroke();
    if (wide.length === 4) break;
  }
}

function paintImage(context, image, box, style) {
  if (!image.width || !image.height || image.complete === false) return;
  context.imageSmoothingEnabled = style.imageRendering !== "pixelated";
  context.drawImage(image, box.left, box.top, box.width, box.height);
}

function paintControl(context, control, box, style) {
  context.fillStyle = style.color;
  if (control.type === "range") return paintSlider(context, control, box, style);
  context.font = `${style.fontStyle} ${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
  context.textBaseline = "middle";
  const text =
    control.selectedOptions?.[0]?.textContent ??
    (control.type === "checkbox" ? (control.checked ? "✓" : "") : control.value);
  return context.fillText(text, box.left + parseFloat(style.paddingLeft), box.top + box.height / 2, box.width);
}

function paintSlider(context, control, box, style) {
  const share = (control.value - control.min) / (control.max - control.min || 1);
  const [x, y] = [box.left + 8 + share * (box.width - 16), box.top + box.height / 2];
  context.fillStyle = style.borderColor;
  context.fillRect(box.left, y - 2, box.width, 4);
  context.fillStyle = style.accentColor;
  context.fillRect(box.left, y - 2, x - box.left, 4);
  context.beginPath();
  context.arc(x, y, 8, 0, 2 * Math.PI);
  context.fill();
}

function paintText(context, node) {
  const text = node.textContent;
  if (!text.trim()) return;
  const style = getComputedStyle(node.parentElement);
  context.font = `${style.fontStyle} ${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
  context.fillStyle = style.color;
  context.textBaseline = "alphabetic";
  for (const { line, box } of textLines(node)) {
    const measured = context.measureText(line);
    const tall = measured.fontBoundingBoxAscent + measured.fontBoundingBoxDescent;
    context.fillText(line, box.left, box.top + (box.height - tall) / 2 + measured.fontBoundingBoxAscent, box.width + 1);
  }
}

function textLines(node) {
  const range = document.createRange();
  const found = [];
  for (const word of node.textContent.matchAll(/\s*\S+/g)) {
    range.setStart(node, word.index + word[0].search(/\S/));
    range.setEnd(node, word.index + word[0].length);
    const box = range.getBoundingClientRect();
    const last = found.at(-1);
    if (last && Math.abs(last.box.top - box.top) < 2) {
      last.line += word[0].replace(/\s+/g, " ");
      last.box = DOMRect.fromRect({
        x: last.box.x,
        y: last.box.y,
        width: box.right - last.box.x,
        height: last.box.height,
      });
    } else found.push({ line: word[0].trim(), box });
  }
  return found;
}

async function paintSvg(context, svg, box) {
  if (!box.width || !box.height) return;
  const copy = svg.cloneNode(true);
  const originals = [svg, ...svg.querySelectorAll("*")];
  [copy, ...copy.querySelectorAll("*")].forEach((element, i) => {
    const style = getComputedStyle(originals[i]);
    for (const name of SVG_STYLES) element.setAttribute(name, style.getPropertyValue(name));
  });
  copy.setAttribute("width", box.width);
  copy.setAttribute("height", box.height);
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  const address = URL.createObjectURL(
    new Blob([new XMLSerializer().serializeToString(copy)], { type: "image/svg+xml" }),
  );
  const image = new Image();
  image.src = address;
  await image.decode().then(
    () => context.drawImage(image, box.left, box.top, box.width, box.height),
    () => undefined,
  );
  URL.revokeObjectURL(address);
}
