/** A computation on the server: started, followed, cancelled, and its result shown. */

import { formatCount, formatNumber } from "../lib/numbers.js";
import { fill, h } from "../lib/dom.js";
import { getJson, send } from "../lib/api.js";
import { subscribe, publish } from "../lib/session.js";
import { errorMessage } from "./error_message.js";

const FINAL_STATES = new Set(["done", "failed", "cancelled"]);
const POLL_MS = 1500;

/**
 * Start a computation and show its progress and result in an element.
 * @param {string} method
 * @param {Object<string, any>} settings
 * @param {(result: any, job: any) => any} show returns the children for a result
 * @returns {{element: HTMLElement, leave: () => void}} leave: stop following; the computation continues
 */
export function jobPanel(method, settings, show) {
  const element = h("div.job", { "aria-live": "off" });
  const state = { id: null, finished: false, stop: () => undefined, timer: null, last: null };
  const start = async () => {
    fill(element, h("p.muted", {}, "Starting …"));
    state.finished = false;
    try {
      const job = await send("POST", "jobs", { method, settings });
      state.id = job.id;
      state.stop = subscribe("job", (report) => {
        if (report.id === state.id) update(state, element, report, show, start);
      });
      state.timer = setInterval(() => poll(state, element, show, start), POLL_MS);
      await update(state, element, job, show, start);
    } catch (error) {
      fill(element, errorMessage(error, start));
    }
  };
  start();
  return { element, leave: () => stopFollowing(state) };
}

/**
 * The progress of a computation as a sentence.
 * @param {any} job
 * @returns {string}
 */
export function progressText(job) {
  if (job.state === "queued")
    return job.waiting ? `Waiting for ${formatCount(job.waiting, "other computation")}.` : "Starting.";
  if (job.state === "running")
    return job.of
      ? `${job.done.toLocaleString("en-US")} of ${job.of.toLocaleString("en-US")}, ${formatNumber(job.seconds)} s elapsed.`
      : `${formatNumber(job.seconds)} s elapsed.`;
  if (job.state === "cancelled") return "Cancelled. No result was saved.";
  if (job.state === "failed") return job.error ?? "The computation failed; see the terminal for the error.";
  return job.cached ? "Loaded from an earlier computation." : `Done in ${formatNumber(job.seconds)} s.`;
}

async function poll(state, element, show, start) {
  if (state.finished || !element.isConnected) return stopFollowing(state);
  try {
    return await update(state, element, await getJson(`jobs/${state.id}`), show, start);
  } catch (error) {
    stopFollowing(state);
    return fill(element, errorMessage(error, start));
  }
}

async function update(state, element, job, show, start) {
  if (state.finished) return;
  if (!FINAL_STATES.has(job.state)) {
    showProgress(element, job, state);
    return;
  }
  stopFollowing(state);
  publish("announce", `${job.method}: ${progressText(job)}`);
  if (job.state === "cancelled")
    fill(
      element,
      h("p.muted", {}, progressText(job)),
      h("button", { type: "button", on: { click: start } }, "Compute again"),
    );
  else if (job.state === "failed") fill(element, errorMessage(new Error(progressText(job)), start));
  else await showResult(element, job, show, start);
}

async function showResult(element, job, show, start) {
  try {
    const complete = job.result ? job : await getJson(`jobs/${job.id}`);
    fill(
      element,
      complete.result.summary.map((line) => h("p.summary", {}, line)),
      await show(complete.result, complete),
      h("p.muted.small", {}, progressText(complete)),
    );
  } catch (error) {
    fill(element, errorMessage(error, start));
  }
}

function showProgress(element, job, state) {
  let bar = element.querySelector("progress");
  if (!bar) {
    const cancel = h("button", { type: "button", on: { click: () => cancelJob(state, cancel) } }, "Cancel");
    fill(
      element,
      h("div.row.space-between", {}, h("p.progress-text.muted"), cancel),
      h("progress", { "aria-label": "Progress of the computation" }),
    );
    bar = element.querySelector("progress");
  }
  element.querySelector(".progress-text").textContent = progressText(job);
  if (job.of) [bar.max, bar.value] = [job.of, job.done];
  else bar.removeAttribute("value");
}

async function cancelJob(state, cancel) {
  cancel.disabled = true;
  cancel.textContent = "Cancelling …";
  await send("DELETE", `jobs/${state.id}`).catch(() => {
    cancel.disabled = false;
    cancel.textContent = "Cancel";
  });
}

function stopFollowing(state) {
  state.finished = true;
  state.stop();
  clearInterval(state.timer);
}
