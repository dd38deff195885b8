/** State shared by all views: the run, its network, and the server's events. */

import { getJson } from "./api.js";

const listeners = new Map();

/** The run and its network, as last received. */
export const session = { run: null, network: null, methods: null, corrections: 0, source: null };

/**
 * Fetch the run and, if there is one, its network.
 * @returns {Promise<void>}
 */
export async function refreshRun() {
  session.run = await getJson("run");
  if (session.run.has_network && session.network?.version !== session.run.network) {
    session.network = { ...(await getJson("network")), version: session.run.network };
  }
}

/**
 * Fetch, once, whether the run's images look like drawings; colour images never do.
 * @returns {Promise<void>}
 */
export async function refreshDrawingStyle() {
  session.draw ??= session.run.input.channels === 1 ? (await getJson("drawing")).draw : null;
}

/**
 * Fetch, once, the explain methods with their settings.
 * @returns {Promise<void>}
 */
export async function refreshMethods() {
  session.methods ??= (await getJson("methods")).methods;
}

/**
 * Connect to the server's events; they reach subscribers. A hidden tab disconnects: a browser has only six connections
 * to a server, for all tabs together.
 */
export function connectEvents() {
  connect();
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) session.source.close();
    else if (session.source.readyState === EventSource.CLOSED) connect();
  });
}

function connect() {
  const source = new EventSource("/api/events");
  session.source = source;
  for (const name of ["hello", "epoch", "run", "job", "corrections"]) {
    source.addEventListener(name, (event) => publish(name, JSON.parse(event.data)));
  }
  source.addEventListener("error", () => publish("disconnected", { lost: source.readyState !== EventSource.OPEN }));
}

/**
 * Call a function on an event until the returned function is called.
 * @param {string} name an event of the server, or "disconnected", "announce"
 * @param {(data: any) => void} callback
 * @returns {() => void}
 */
export function subscribe(name, callback) {
  if (!listeners.has(name)) listeners.set(name, new Set());
  listeners.get(name).add(callback);
  return () => listeners.get(name).delete(callback);
}

/**
 * Send an event to its subscribers.
 * @param {string} name
 * @param {any} data
 */
export function publish(name, data) {
  for (const callback of listeners.get(name) ?? []) callback(data);
}

/**
 * The name of an answer of the task: a class, a label, a number, or the side of a box.
 * @param {number} index
 * @returns {string}
 */
export function answerName(index) {
  return session.run.answers[index] ?? className(index);
}

/**
 * The name of a class.
 * @param {number | null} index
 * @returns {string}
 */
export function className(index) {
  return index === null || index === undefined ? "unknown" : (session.run.classes[index] ?? `class ${index}`);
}
