/**
 * Routes in the address: `#/view?image=validation-3&layer=stages.0`. Every view can be bookmarked, shared and gone back to.
 */

/**
 * Parse a route.
 * @param {string} hash the fragment, with or without #
 * @returns {{view: string, params: Object<string, string>}} view is "" if none is named
 */
export function parseRoute(hash) {
  const [path, query = ""] = hash.replace(/^#?\/?/, "").split("?");
  return { view: decodePart(path), params: Object.fromEntries(new URLSearchParams(query)) };
}

/**
 * Format a route; empty values are omitted, and names keep their order.
 * @param {string} view
 * @param {Object<string, any>} params
 * @returns {string}
 */
export function formatRoute(view, params = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value !== null && value !== undefined && value !== "") query.set(name, String(value));
  }
  const tail = query.toString().replaceAll("%3A", ":").replaceAll("%2C", ",");
  return `#/${view}${tail ? `?${tail}` : ""}`;
}

/** @returns {{view: string, params: Object<string, string>}} the route that the page shows now */
export function currentRoute() {
  return parseRoute(window.location.hash);
}

/**
 * Go to a route.
 * @param {string} view
 * @param {Object<string, any>} params
 * @param {{quiet?: boolean}} [options] quiet: replace the history entry, for changes many times a second
 */
export function navigate(view, params, { quiet = false } = {}) {
  const address = formatRoute(view, params);
  if (address === window.location.hash) return;
  if (quiet) window.history.replaceState(null, "", address);
  else window.history.pushState(null, "", address);
  window.dispatchEvent(new Event("route"));
}

/**
 * Call a function on every change of the route.
 * @param {() => void} callback
 */
export function onRouteChange(callback) {
  for (const event of ["popstate", "hashchange", "route"]) window.addEventListener(event, callback);
}

function decodePart(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}
