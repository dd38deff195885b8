/** Of many quick questions, only the newest matters. */

/**
 * A function that runs one at a time: a call while one runs waits, and of those that wait only the last one is made.
 * @param {(...args: any[]) => Promise<void>} act
 * @returns {(...args: any[]) => void}
 */
export function lastWaiting(act) {
  let running = false;
  let next = null;
  const turn = async () => {
    running = true;
    while (next) {
      const args = next;
      next = null;
      await act(...args);
    }
    running = false;
  };
  return (...args) => {
    next = args;
    if (!running) turn();
  };
}

/**
 * A function that gives an AbortSignal and aborts the one it gave before.
 * @returns {() => AbortSignal}
 */
export function newest() {
  let controller = null;
  return () => {
    controller?.abort();
    controller = new AbortController();
    return controller.signal;
  };
}
