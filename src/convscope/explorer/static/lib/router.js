/**
 * The address of what is seen: `#/view?image=validation:3&layer=stages.0`. Every view can be shared and gone back to.
 */

/**
 * Read an address.
 * @param {string} hash what follows the page's own address, with or without #
 * @returns {{view: string, said: Object<string, string>}} view is "" where none is named
 */
export function read(hash) {
  const [path, query = ""] = hash.replace(/^#?\/?/, "").split("?");
  return { view: decode(path), said: Object.fromEntries(new URLSearchParams(query)) };
}

/**
 * Write an address; empty values are left out, and names keep their order.
 * @param {string} view
 * @param {Object<string, any>} said
 * @returns {string}
 */
export function write(view, said = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(said)) {
    if (value !== null && value !== undefined && value !== "") query.set(name, String(value));
  }
  const tail = query.toString().replaceAll("%3A", ":").replaceAll("%2C", ",");
  return `#/${view}${tail ? `?${tail}` : ""}`;
}

/** @returns {{view: string, said: Object<string, string>}} the address that the page shows now */
export function here() {
  return read(window.location.hash);
}

/**
 * Go to an address.
 * @param {string} view
 * @param {Object<string, any>} said
 * @param {{quiet?: boolean}} [how] quiet: in place of the present one, for what changes many times a second
 */
export function go(view, said, { quiet = false } = {}) {
  const address = write(view, said);
  if (address === window.location.hash) return;
  if (quiet) window.history.replaceState(null, "", address);
  else window.history.pushState(null, "", address);
  window.dispatchEvent(new Event("address"));
}

/**
 * Be told of every change of the address, however it came.
 * @param {() => void} told
 */
export function follow(told) {
  for (const event of ["popstate", "hashchange", "address"]) window.addEventListener(event, told);
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}
