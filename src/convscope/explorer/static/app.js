/** Entry point: loads the run, shows the view named in the address, and reports changes of the run. */

import { fill, h } from "./lib/dom.js";
import { onRouteChange, navigate, currentRoute, formatRoute } from "./lib/router.js";
import {
  connectEvents,
  subscribe,
  refreshDrawingStyle,
  refreshMethods,
  refreshRun,
  session,
  publish,
} from "./lib/session.js";
import { startTheme, themeButton } from "./lib/theme.js";
import { firstImage, sidebar } from "./widgets/sidebar.js";
import { errorMessage } from "./widgets/error_message.js";
import { firstRoute } from "./lib/landing.js";
import { guide } from "./widgets/guide.js";
import { networkView } from "./views/network_view.js";
import { unitView } from "./views/unit.js";
import { inputView } from "./views/input.js";
import { trainingView } from "./views/training.js";
import { methodsView } from "./views/methods.js";
import { embeddingView } from "./views/embedding.js";
import { errorsView } from "./views/errors.js";

/** Views by their name in the address. `withSidebar`: show the current image beside it; `prepare`: await this first. */
const VIEWS = {
  network: { title: "Feature maps", create: networkView, withSidebar: true },
  unit: { title: "Unit", create: unitView, withSidebar: true },
  input: { title: "Input", create: inputView, withSidebar: false, prepare: refreshDrawingStyle },
  training: { title: "Training", create: trainingView, withSidebar: false },
  methods: { title: "Explain", create: methodsView, withSidebar: true, prepare: refreshMethods },
  embedding: { title: "Embedding", create: embeddingView, withSidebar: false },
  confusion: { title: "Errors", create: errorsView, withSidebar: false },
};
const SHARED_PARAMS = ["image", "layer", "channel", "row", "column"];
const byId = (id) => document.getElementById(id);
const GONE_NOTE = "The page keeps what it shows; nothing more can be computed.";
const page = { name: "", view: null, sidebar: null, guide: null, params: {}, deleted: false };

async function start() {
  startTheme();
  fill(byId("toolbar"), themeButton());
  subscribe("announce", (sentence) => {
    byId("announcements").textContent = sentence;
  });
  try {
    await refreshRun();
  } catch (error) {
    fill(
      byId("view"),
      errorMessage(error, () => window.location.reload()),
    );
    return;
  }
  page.sidebar = sidebar(byId("sidebar"), (image) => navigate(page.name, { ...currentRoute().params, image }));
  page.guide = guide(byId("guide"));
  if (!currentRoute().view) {
    const [view, params] = await firstRoute();
    navigate(view, { ...currentRoute().params, ...params }, { quiet: true });
  }
  onRouteChange(show);
  subscribeToRun();
  connectEvents();
  showRun();
  show();
}

async function show() {
  const { view, params } = currentRoute();
  const name = VIEWS[view] ? view : "network";
  const allParams = { ...params, image: params.image ?? page.params.image ?? firstImage() };
  page.params = allParams;
  showNavigation(name, allParams);
  if (!session.run.has_network && name !== "training") return showNoNetwork();
  const withSidebar = VIEWS[name].withSidebar;
  byId("sidebar").hidden = !withSidebar;
  byId("layout").classList.toggle("with-sidebar", withSidebar);
  if (name !== page.name) {
    await VIEWS[name].prepare?.().catch(() => undefined);
    if (currentRoute().view !== view) return undefined;
    if (name !== page.name) openView(name);
  }
  page.guide.show(name, allParams);
  if (withSidebar) page.sidebar.show(allParams.image);
  document.title = `${VIEWS[name].title} · ${session.run.name} · convscope`;
  return page.view.show(allParams);
}

function openView(name) {
  page.view?.leave?.();
  page.sidebar.showField(null);
  page.name = name;
  page.view = VIEWS[name].create({ sidebar: page.sidebar });
  fill(byId("view"), page.view.element);
  if (document.activeElement !== document.body) byId("view").focus({ preventScroll: true });
  window.scrollTo(0, 0);
}

function showNavigation(current, params) {
  const shared = Object.fromEntries(SHARED_PARAMS.filter((name) => params[name]).map((name) => [name, params[name]]));
  fill(
    byId("nav"),
    Object.entries(VIEWS).map(([name, view]) =>
      h("a", { href: formatRoute(name, shared), "aria-current": name === current ? "page" : null }, view.title),
    ),
  );
  const currentLink = byId("nav").querySelector("[aria-current]");
  byId("nav").scrollLeft = currentLink.offsetLeft - byId("nav").offsetLeft - 60;
}

function showNoNetwork() {
  page.view?.leave?.();
  page.name = "";
  byId("sidebar").hidden = true;
  byId("layout").classList.remove("with-sidebar");
  const { state, name } = session.run;
  fill(
    byId("view"),
    h(
      "div.empty",
      {},
      h(
        "p",
        {},
        state === "training"
          ? `${name} is still training and has no network yet: it appears here after the first epoch. The Training view is already live.`
          : `${name} has no network: training stopped before the end of the first epoch. Resume it with convscope train --resume ${session.run.path}.`,
      ),
    ),
  );
}

function showRun() {
  const { name, model, state, epoch } = session.run;
  const live = state === "training" ? h("span.live-badge", {}, "training") : null;
  fill(byId("run"), h("b", {}, name), ` · ${model ?? ""}${epoch ? ` · epoch ${epoch}` : ""} `, live);
  showNotice(session.run.problem);
}

function showNotice(sentence, info = false) {
  byId("notice").hidden = !sentence;
  byId("notice").classList.toggle("info", info);
  fill(byId("notice"), sentence ?? "");
}

function subscribeToRun() {
  let noticeTimer = null;
  subscribe("disconnected", () => {
    noticeTimer ??= setTimeout(
      () =>
        showNotice(
          "The explorer server does not respond. If it was stopped, start convscope explore again and open its new link; " +
            "otherwise this page reconnects by itself.",
        ),
      2500,
    );
  });
  subscribe("hello", async () => {
    clearTimeout(noticeTimer);
    noticeTimer = null;
    await refresh();
    publish("corrections", {});
  });
  subscribe("run", async ({ state }) => {
    page.deleted = state === "gone";
    if (!page.deleted) await refresh();
    else showNotice(`The run folder ${session.run.path} was deleted or moved. ${GONE_NOTE}`);
  });
  subscribe("epoch", async () => {
    await refresh();
  });
}

async function refresh() {
  const prepare = session.run.network;
  try {
    await refreshRun();
  } catch (error) {
    if (!page.deleted) showNotice(error.message);
    return;
  }
  showRun();
  if (session.run.network === prepare) return;
  show();
}

start();
