/** Pictures of the user as pixels. */

const LONGEST = 16384; // pixels of a canvas's side that browsers allow

/**
 * Decode a picture, upright, on white where it is transparent.
 * @param {Blob} file
 * @returns {Promise<{canvas: HTMLCanvasElement, picture: {data: Uint8Array, height: number, width: number, channels: number}}>}
 */
export async function readPicture(file) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: "from-image", colorSpaceConversion: "none" });
  } catch {
    throw new Error("This file is no picture that the browser can open; choose a JPEG, PNG or WebP file.");
  }
  if (Math.max(bitmap.width, bitmap.height) > LONGEST) {
    throw new Error(`This picture is ${bitmap.width} x ${bitmap.height}; choose one of at most ${LONGEST} pixels a side.`);
  }
  const canvas = document.createElement("canvas");
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return { canvas, picture: pixelsOf(canvas) };
}

/** The pixels of a canvas, RGB. */
export function pixelsOf(canvas) {
  const { width, height } = canvas;
  const rgba = canvas.getContext("2d", { willReadFrequently: true }).getImageData(0, 0, width, height).data;
  const data = new Uint8Array(width * height * 3);
  for (let i = 0, to = 0; i < rgba.length; i += 4, to += 3) {
    data[to] = rgba[i];
    data[to + 1] = rgba[i + 1];
    data[to + 2] = rgba[i + 2];
  }
  return { data, height, width, channels: 3 };
}

/** The picture of the self test; the same formula as `page_html.pattern`. */
export function pattern(height, width, channels) {
  const data = new Uint8Array(height * width * channels);
  let i = 0;
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      for (let c = 0; c < channels; c += 1, i += 1) data[i] = (7 * x + 13 * y + 50 * c + ((x * y) >> 3)) & 255;
    }
  }
  return { data, height, width, channels };
}
