/** Asking the server: every refusal comes back as one sentence that can be shown as it is. */

/** What the server, or its absence, said: `message` is a sentence for the person, `kind` a word for the code. */
export class Refusal extends Error {
  /**
   * @param {string} sentence
   * @param {string} kind as in docs/explorer-api.md, or "silence" where nobody answers
   */
  constructor(sentence, kind) {
    super(sentence);
    this.kind = kind;
  }
}

const SILENCE =
  "The explorer’s server does not answer: it has ended, or the connection broke. Start `convscope explore` again and open its new link.";

/**
 * The JSON of an answer.
 * @param {string} path below /api/, parts already encoded
 * @param {Object<string, any>} [query] empty values are left out; arrays are repeated
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>}
 */
export async function get(path, query = {}, signal = undefined) {
  return (await ask(address(path, query), { signal })).json();
}

/**
 * The bytes of an answer.
 * @returns {Promise<ArrayBuffer>}
 */
export async function bytes(path, query = {}, signal = undefined) {
  return (await ask(address(path, query), { signal })).arrayBuffer();
}

/**
 * Send JSON, or a picture's bytes.
 * @param {"POST" | "PUT" | "DELETE"} method
 * @param {string} path
 * @param {any} [body] a Blob goes as it is, anything else as JSON
 * @param {Object<string, any>} [query]
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>} null where the answer is empty
 */
export async function send(method, path, body = undefined, query = {}, signal = undefined) {
  const blob = body instanceof Blob;
  const headers =
    body === undefined ? {} : { "Content-Type": blob ? body.type || "application/octet-stream" : "application/json" };
  const answer = await ask(address(path, query), {
    method,
    headers,
    signal,
    body: blob || body === undefined ? body : JSON.stringify(body),
  });
  const text = await answer.text();
  return text ? JSON.parse(text) : null;
}

/**
 * The address of something that the server gives.
 * @param {string} path
 * @param {Object<string, any>} [query]
 * @returns {string}
 */
export function address(path, query = {}) {
  const said = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== null && one !== undefined && one !== "" && one !== false)
        said.append(name, one === true ? "1" : String(one));
    }
  }
  const tail = said.toString();
  return `/api/${path}${tail ? `?${tail}` : ""}`;
}

/**
 * Whether an error only says that a newer question replaced this one.
 * @param {any} error
 * @returns {boolean}
 */
export function replaced(error) {
  return error?.name === "AbortError";
}

async function ask(where, options) {
  let answer;
  try {
    answer = await fetch(where, { credentials: "same-origin", ...options });
  } catch (error) {
    if (replaced(error)) throw error;
    throw new Refusal(SILENCE, "silence");
  }
  if (answer.ok) return answer;
  const told = await answer.json().catch(() => ({}));
  throw new Refusal(told.error ?? `The server answered ${answer.status} without saying why.`, told.kind ?? "fault");
}
