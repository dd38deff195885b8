/** A computation of the server's: begun, followed, cancelled, and shown when it is done. */

import { count, figure } from "../lib/numbers.js";
import { fill, h } from "../lib/dom.js";
import { get, send } from "../lib/api.js";
import { news, tell } from "../lib/session.js";
import { trouble } from "./parts.js";

const OVER = new Set(["done", "failed", "cancelled"]);
const POLL = 1500;

/**
 * Begin a computation and follow it in an element.
 * @param {string} method
 * @param {Object<string, any>} settings
 * @param {(numbers: any, result: any, job: any) => any} show gives the children for a result
 * @returns {{element: HTMLElement, leave: () => void}} leave: stop listening; the computation goes on
 */
export function runJob(method, settings, show) {
  const element = h("div.job", { "aria-live": "off" });
  const held = { id: null, over: false, stop: () => undefined, timer: null, last: null };
  const begin = async () => {
    fill(element, h("p.soft", {}, "Asking …"));
    held.over = false;
    try {
      const job = await send("POST", "jobs", { method, settings });
      held.id = job.id;
      held.stop = news("job", (told) => {
        if (told.id === held.id) update(held, element, told, show, begin);
      });
      held.timer = setInterval(() => follow(held, element, show, begin), POLL);
      await update(held, element, job, show, begin);
    } catch (error) {
      fill(element, trouble(error, begin));
    }
  };
  begin();
  return { element, leave: () => over(held) };
}

/**
 * How far a computation is, in a sentence.
 * @param {any} job
 * @returns {string}
 */
export function progressInWords(job) {
  if (job.state === "queued")
    return job.waiting ? `Waiting for ${count(job.waiting, "computation")} before it.` : "About to begin.";
  if (job.state === "running")
    return job.of
      ? `${job.done.toLocaleString("en-US")} of ${job.of.toLocaleString("en-US")}, ${figure(job.seconds)} s so far.`
      : `${figure(job.seconds)} s so far.`;
  if (job.state === "cancelled") return "Cancelled. Nothing was kept.";
  if (job.state === "failed") return job.error ?? "It failed; the terminal says why.";
  return job.kept ? "Kept from an earlier time." : `Done in ${figure(job.seconds)} s.`;
}

async function follow(held, element, show, begin) {
  if (held.over || !element.isConnected) return over(held);
  try {
    return await update(held, element, await get(`jobs/${held.id}`), show, begin);
  } catch (error) {
    over(held);
    return fill(element, trouble(error, begin));
  }
}

async function update(held, element, job, show, begin) {
  if (held.over) return;
  if (!OVER.has(job.state)) {
    running(element, job, held);
    return;
  }
  over(held);
  tell("say", `${job.method}: ${progressInWords(job)}`);
  if (job.state === "cancelled")
    fill(
      element,
      h("p.soft", {}, progressInWords(job)),
      h("button", { type: "button", on: { click: begin } }, "Compute again"),
    );
  else if (job.state === "failed") fill(element, trouble(new Error(progressInWords(job)), begin));
  else await done(element, job, show, begin);
}

async function done(element, job, show, begin) {
  try {
    const whole = job.result ? job : await get(`jobs/${job.id}`);
    fill(
      element,
      whole.result.says.map((line) => h("p.says", {}, line)),
      await show(whole.result.numbers, whole.result, whole),
      h("p.soft.small", {}, progressInWords(whole)),
    );
  } catch (error) {
    fill(element, trouble(error, begin));
  }
}

function running(element, job, held) {
  let bar = element.querySelector("progress");
  if (!bar) {
    const cancel = h("button", { type: "button", on: { click: () => stop(held, cancel) } }, "Cancel");
    fill(
      element,
      h("div.row.spread", {}, h("p.far.soft"), cancel),
      h("progress", { "aria-label": "How far the computation is" }),
    );
    bar = element.querySelector("progress");
  }
  element.querySelector(".far").textContent = progressInWords(job);
  if (job.of) [bar.max, bar.value] = [job.of, job.done];
  else bar.removeAttribute("value");
}

async function stop(held, cancel) {
  cancel.disabled = true;
  cancel.textContent = "Cancelling …";
  await send("DELETE", `jobs/${held.id}`).catch(() => {
    cancel.disabled = false;
    cancel.textContent = "Cancel";
  });
}

function over(held) {
  held.over = true;
  held.stop();
  clearInterval(held.timer);
}
