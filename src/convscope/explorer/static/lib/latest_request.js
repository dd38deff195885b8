/** Of many quick requests, only the latest matters. */

/**
 * A function that runs one call at a time: calls made meanwhile wait, and only the last of them is run.
 * @param {(...args: any[]) => Promise<void>} action
 * @returns {(...args: any[]) => void}
 */
export function runLatest(action) {
  let running = false;
  let pending = null;
  const drain = async () => {
    running = true;
    while (pending) {
      const args = pending;
      pending = null;
      await action(...args);
    }
    running = false;
  };
  return (...args) => {
    pending = args;
    if (!running) drain();
  };
}

/**
 * A function that returns a new AbortSignal and aborts the previous one.
 * @returns {() => AbortSignal}
 */
export function latestSignal() {
  let controller = null;
  return () => {
    controller?.abort();
    controller = new AbortController();
    return controller.signal;
  };
}
