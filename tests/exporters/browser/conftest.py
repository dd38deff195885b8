"""Pages in a real browser, opened from the disk; a test fails on any request and on any message of the console."""

from importlib.resources import files
from types import SimpleNamespace

import pytest

from convscope.exporters.page_html import MODULES, bundled
from helpers.browser import chromium

OWN = ("file:", "data:", "blob:")


@pytest.fixture(scope="module")
def browser():
    with chromium() as opened:
        yield opened


@pytest.fixture
def new_page(browser):
    """Return a function that opens an empty tab; its requests and messages are checked at the end."""
    contexts, requests, messages = [], [], []

    def opened(**settings):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **settings})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("request", lambda request: requests.append(request.url))
        page.on("pageerror", lambda error: messages.append(str(error)))
        page.on("console", lambda line: messages.append(line.text))
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not [url for url in requests if not url.startswith(OWN)]
    assert [url for url in requests if url.startswith("file:")] == [url for url in requests if url.endswith(".html")]
    assert not messages


@pytest.fixture
def engine(new_page):
    """A tab with the page's modules except the last, which needs a page; `run` evaluates JavaScript among them."""
    folder = files("convscope.exporters") / "page"
    text = bundled([(folder / name).read_text(encoding="utf-8") for name in MODULES[:-1]])
    page = new_page()
    page.set_content("<!doctype html><title>engine</title>")
    page.add_script_tag(content=f"{text}\nglobalThis.engine = {{ OPERATORS, tensor, fit, covering, visibleWindow }};")
    return SimpleNamespace(run=page.evaluate)
