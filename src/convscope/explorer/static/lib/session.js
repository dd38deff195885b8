/** What all views share: the run, its network, the picture that is looked at, and news from the server. */

import { get } from "./api.js";

const listeners = new Map();

/** The run and its network, as the server told them last. */
export const session = { run: null, network: null, marks: 0, source: null };

/**
 * Ask for the run and, where there is one, its network.
 * @returns {Promise<void>}
 */
export async function refreshRun() {
  session.run = await get("run");
  if (session.run.has_network && session.network?.of !== session.run.network) {
    session.network = { ...(await get("network")), of: session.run.network };
  }
}

/**
 * Ask, once, whether the run's images are like drawings; colour images never are.
 * @returns {Promise<void>}
 */
export async function refreshDrawing() {
  session.draw ??= session.run.input.channels === 1 ? (await get("drawing")).draw : null;
}

/**
 * Listen to the server's events; they are passed on as `news(event, heard)`. A tab that nobody looks at does not
 * listen: a browser
 * has only six connections to a server, for all tabs together.
 */
export function listen() {
  connect();
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) session.source.close();
    else if (session.source.readyState === EventSource.CLOSED) connect();
  });
}

function connect() {
  const source = new EventSource("/api/events");
  session.source = source;
  for (const name of ["hello", "epoch", "run", "job", "marks"]) {
    source.addEventListener(name, (event) => tell(name, JSON.parse(event.data)));
  }
  source.addEventListener("error", () => tell("silence", { lost: source.readyState !== EventSource.OPEN }));
}

/**
 * Hear of something until the returned function is called.
 * @param {string} name an event of the server's, or "silence", "image"
 * @param {(data: any) => void} heard
 * @returns {() => void}
 */
export function news(name, heard) {
  if (!listeners.has(name)) listeners.set(name, new Set());
  listeners.get(name).add(heard);
  return () => listeners.get(name).delete(heard);
}

/**
 * Tell all who listen.
 * @param {string} name
 * @param {any} data
 */
export function tell(name, data) {
  for (const heard of listeners.get(name) ?? []) heard(data);
}

/**
 * A class's name.
 * @param {number | null} index
 * @returns {string}
 */
export function className(index) {
  return index === null || index === undefined ? "unknown" : (session.run.classes[index] ?? `class ${index}`);
}
