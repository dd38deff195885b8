/** Where the page opens: the canvas for drawings, the most striking mistake for photographs. */

import { getJson } from "./api.js";
import { refreshDrawingStyle, session } from "./session.js";

/**
 * The first view and its parameters, for an address that names none.
 * @returns {Promise<[string, Object<string, any>]>}
 */
export async function firstRoute() {
  if (!session.run.has_network) return ["training", {}];
  if (session.run.views.upload && session.run.input.channels === 1) {
    await refreshDrawingStyle().catch(() => undefined);
    if (session.draw) return ["input", {}];
  }
  const image = await worstImage();
  return ["network", image ? { image } : {}];
}

async function worstImage() {
  const split = session.run.splits.validation ? "validation" : "train";
  try {
    const { images } = await getJson("images", { split, mistakes: true, order: "worst", count: 1 });
    return images[0]?.id ?? null;
  } catch {
    return null; // not evaluated yet
  }
}
