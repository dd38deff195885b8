/** HTTP requests to the server. Every failure becomes an ApiError whose message can be shown as it is. */

/** A failed request: `message` is a sentence for the user, `kind` a word for the code. */
export class ApiError extends Error {
  /**
   * @param {string} sentence
   * @param {string} kind as in docs/reference/explorer-api.md, or "disconnected" without a response
   */
  constructor(sentence, kind) {
    super(sentence);
    this.kind = kind;
  }
}

const NO_CONNECTION =
  "The explorer server does not respond: it was stopped, or the connection broke. Start `convscope explore` again and open its new link.";

/**
 * GET a JSON response.
 * @param {string} path below /api/, path segments already encoded
 * @param {Object<string, any>} [query] empty values are omitted; arrays are repeated
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>}
 */
export async function getJson(path, query = {}, signal = undefined) {
  return (await request(apiUrl(path, query), { signal })).json();
}

/**
 * GET a binary response.
 * @returns {Promise<ArrayBuffer>}
 */
export async function getBytes(path, query = {}, signal = undefined) {
  return (await request(apiUrl(path, query), { signal })).arrayBuffer();
}

/**
 * Send JSON or the bytes of an image.
 * @param {"POST" | "PUT" | "DELETE"} method
 * @param {string} path
 * @param {any} [body] a Blob is sent unchanged, anything else as JSON
 * @param {Object<string, any>} [query]
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>} null for an empty response
 */
export async function send(method, path, body = undefined, query = {}, signal = undefined) {
  const blob = body instanceof Blob;
  const headers =
    body === undefined ? {} : { "Content-Type": blob ? body.type || "application/octet-stream" : "application/json" };
  const response = await request(apiUrl(path, query), {
    method,
    headers,
    signal,
    body: blob || body === undefined ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return text ? JSON.parse(text) : null;
}

/**
 * The URL of a resource of the interface.
 * @param {string} path
 * @param {Object<string, any>} [query]
 * @returns {string}
 */
export function apiUrl(path, query = {}) {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const item of Array.isArray(value) ? value : [value]) {
      if (item !== null && item !== undefined && item !== "" && item !== false)
        search.append(name, item === true ? "1" : String(item));
    }
  }
  const tail = search.toString();
  return `/api/${path}${tail ? `?${tail}` : ""}`;
}

/**
 * Whether an error only means that a newer request replaced this one.
 * @param {any} error
 * @returns {boolean}
 */
export function isAborted(error) {
  return error?.name === "AbortError";
}

async function request(url, options) {
  let response;
  try {
    response = await fetch(url, { credentials: "same-origin", ...options });
  } catch (error) {
    if (isAborted(error)) throw error;
    throw new ApiError(NO_CONNECTION, "disconnected");
  }
  if (response.ok) return response;
  const payload = await response.json().catch(() => ({}));
  throw new ApiError(
    payload.error ?? `The server returned status ${response.status} without a reason.`,
    payload.kind ?? "internal error",
  );
}
