/** The page: opens the run, shows the view that the address names, and says what happens to the run meanwhile. */

import { fill, h } from "./lib/dom.js";
import { follow, go, here, write } from "./lib/router.js";
import { listen, news, refreshDrawing, refreshRun, session, tell } from "./lib/session.js";
import { startTheme, themeSwitch } from "./lib/theme.js";
import { firstImage, rail } from "./widgets/sidebar.js";
import { trouble } from "./widgets/parts.js";
import { landscape } from "./views/network_view.js";
import { unit } from "./views/unit.js";
import { input } from "./views/input.js";
import { time } from "./views/training.js";
import { questions } from "./views/methods.js";
import { kin } from "./views/embedding.js";
import { mistakes } from "./views/confusion.js";

/** Views by the word in the address; `railed`: beside the picture that is looked at; `before`: what is asked first. */
const VIEWS = {
  landscape: { title: "Landscape", make: landscape, railed: true },
  unit: { title: "One unit", make: unit, railed: true },
  input: { title: "Your input", make: input, railed: false, before: refreshDrawing },
  time: { title: "Time", make: time, railed: false },
  questions: { title: "Questions", make: questions, railed: true },
  kin: { title: "Kin", make: kin, railed: false },
  mistakes: { title: "Mistakes", make: mistakes, railed: false },
};
const KEPT = ["image", "layer", "channel", "row", "column"];
const part = (id) => document.getElementById(id);
const LEFT = "What is on the screen stays; nothing more can be computed.";
const page = { name: "", view: null, rail: null, said: {}, gone: false };

async function start() {
  startTheme();
  fill(part("tools"), themeSwitch());
  news("say", (sentence) => {
    part("spoken").textContent = sentence;
  });
  try {
    await refreshRun();
  } catch (error) {
    fill(
      part("view"),
      trouble(error, () => window.location.reload()),
    );
    return;
  }
  page.rail = rail(part("rail"), (image) => go(page.name, { ...here().said, image }));
  follow(show);
  hearRun();
  listen();
  headline();
  show();
}

async function show() {
  const { view, said } = here();
  const name = VIEWS[view] ? view : "landscape";
  const full = { ...said, image: said.image ?? page.said.image ?? firstImage() };
  page.said = full;
  navigation(name, full);
  if (!session.run.has_network && name !== "time") return waitForNetwork();
  const railed = VIEWS[name].railed;
  part("rail").hidden = !railed;
  part("frame").classList.toggle("railed", railed);
  if (name !== page.name) {
    await VIEWS[name].before?.().catch(() => undefined);
    if (here().view !== view) return undefined;
    if (name !== page.name) open(name);
  }
  if (railed) page.rail.show(full.image);
  document.title = `${VIEWS[name].title} · ${session.run.name} · convscope`;
  return page.view.show(full);
}

function open(name) {
  page.view?.leave?.();
  page.rail.field(null);
  page.name = name;
  page.view = VIEWS[name].make({ rail: page.rail });
  fill(part("view"), page.view.element);
  if (document.activeElement !== document.body) part("view").focus({ preventScroll: true });
  window.scrollTo(0, 0);
}

function navigation(current, said) {
  const kept = Object.fromEntries(KEPT.filter((name) => said[name]).map((name) => [name, said[name]]));
  fill(
    part("views"),
    Object.entries(VIEWS).map(([name, view]) =>
      h("a", { href: write(name, kept), "aria-current": name === current ? "page" : null }, view.title),
    ),
  );
  const shown = part("views").querySelector("[aria-current]");
  part("views").scrollLeft = shown.offsetLeft - part("views").offsetLeft - 60;
}

function waitForNetwork() {
  page.view?.leave?.();
  page.name = "";
  part("rail").hidden = true;
  part("frame").classList.remove("railed");
  const { state, name } = session.run;
  fill(
    part("view"),
    h(
      "div.empty",
      {},
      h(
        "p",
        {},
        state === "training"
          ? `${name} is still being trained and has no network to show yet: it appears here after the first epoch. Time already follows it.`
          : `${name} holds no network: its training stopped before the first epoch ended. Go on with convscope train --resume ${session.run.path}.`,
      ),
    ),
  );
}

function headline() {
  const { name, model, state, epoch } = session.run;
  const live = state === "training" ? h("span.live", {}, "training") : null;
  fill(part("run"), h("b", {}, name), ` · ${model ?? ""}${epoch ? ` · epoch ${epoch}` : ""} `, live);
  notify(session.run.trouble);
}

function notify(sentence, mild = false) {
  part("notice").hidden = !sentence;
  part("notice").classList.toggle("mild", mild);
  fill(part("notice"), sentence ?? "");
}

function hearRun() {
  let silent = null;
  news("silence", () => {
    silent ??= setTimeout(
      () =>
        notify(
          "The explorer’s server does not answer. If it was ended, start convscope explore again and open its new link; " +
            "otherwise this page goes on by itself when the server is back.",
        ),
      2500,
    );
  });
  news("hello", async () => {
    clearTimeout(silent);
    silent = null;
    await renew();
    tell("marks", {});
  });
  news("run", async ({ state }) => {
    page.gone = state === "gone";
    if (!page.gone) await renew();
    else notify(`The run’s folder ${session.run.path} was deleted or moved. ${LEFT}`);
  });
  news("epoch", async () => {
    await renew();
  });
}

async function renew() {
  const before = session.run.network;
  try {
    await refreshRun();
  } catch (error) {
    if (!page.gone) notify(error.message);
    return;
  }
  headline();
  if (session.run.network === before) return;
  show();
}

start();
