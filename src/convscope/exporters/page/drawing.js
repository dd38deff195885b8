/** Drawing with a finger, a pen or the mouse. */

const SIDE = 280;
const STROKE = 26;

/**
 * Make a canvas a drawing board.
 * @param {HTMLCanvasElement} canvas
 * @param {boolean} dark whether the paper is black and the ink white, as in the training images
 * @param {(finished: boolean) => void} onChange called after each stroke's part, and at its end
 */
export function drawingBoard(canvas, dark, onChange) {
  const [paper, ink] = dark ? ["#000", "#fff"] : ["#fff", "#111"];
  canvas.width = SIDE;
  canvas.height = SIDE;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  let last = null;
  const clear = () => {
    context.fillStyle = paper;
    context.fillRect(0, 0, SIDE, SIDE);
  };
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * SIDE, ((event.clientY - box.top) / box.height) * SIDE];
  };
  const line = (from, to) => {
    context.strokeStyle = ink;
    context.lineWidth = STROKE;
    context.lineCap = "round";
    context.beginPath();
    context.moveTo(...from);
    context.lineTo(to[0] + 0.01, to[1]);
    context.stroke();
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    last = at(event);
    line(last, last);
    onChange(false);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!last) return;
    for (const part of event.getCoalescedEvents?.() ?? [event]) {
      const next = at(part);
      line(last, next);
      last = next;
    }
    onChange(false);
  });
  for (const end of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(end, () => {
      if (last) onChange(true);
      last = null;
    });
  }
  clear();
  return { clear };
}
