"""The documentation as a site: navigation, links, reference pages from the code, and search without a network."""

import subprocess
import sys

import pytest

from build_site import ROOT, collect_pages, navigation
from helpers.browser import chromium
from reference_pages import commands_page, settings_page


def test_every_command_has_its_section_with_options_and_defaults():
    page = commands_page()
    assert "## convscope train\n\n```\nconvscope train [OPTIONS] [data]\n```" in page
    assert "## convscope arithmetic output" in page
    assert "## convscope explain attribution" in page
    assert "| `--port <int range>` | Port to listen on; 0: any free port. | 8080 |" in page


def test_every_setting_is_listed_with_its_default():
    page = settings_page()
    assert "## [train]" in page
    assert "| `epochs` | `int` | `20` |" in page
    assert "| `fit` | `Literal['crop', 'pad', 'stretch']` | `'crop'` |" in page


def test_navigation_has_one_section_per_heading_and_the_written_pages():
    sections = navigation("# All\n\n## How-to\n\n- [A `b`](how-to/a.md): c\n\n## Reference\n\n- [D](reference/d.md)\n")
    assert sections[1] == {"How-to": [{"A b": "how-to/a.md"}]}
    assert {"Commands": "reference/commands.md"} in sections[2]["Reference"]
    assert sections[3]["Method cards"][0] == "methods/README.md"


def test_links_follow_pages_to_their_place_on_the_site(tmp_path):
    collect_pages(tmp_path / "docs")
    home = (tmp_path / "docs" / "index.md").read_text()
    assert "](how-to/transfer-learning.md)" in home
    assert "](docs/" not in home
    assert "](project/contributing.md)" in home
    assert "](benchmarks/measurements.md)" in (tmp_path / "docs" / "overview.md").read_text()


@pytest.mark.slow
@pytest.mark.browser
def test_the_site_is_built_without_a_broken_link_and_searches_offline(tmp_path):
    script = ROOT / "tools" / "build_site.py"
    done = subprocess.run([sys.executable, str(script), str(tmp_path / "site")], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not [page for page in (tmp_path / "site").rglob("*.html") if "unpkg.com" in page.read_text()]
    with chromium() as browser:
        page = browser.new_page()
        outside = []
        page.on("request", lambda request: outside.append(request.url) if not request.url.startswith("file:") else None)
        page.goto((tmp_path / "site" / "index.html").as_uri())
        page.keyboard.press("/")
        page.keyboard.type("receptive field")
        page.wait_for_selector("text=/[0-9]+ results/")
        assert outside == []
