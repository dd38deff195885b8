#!/usr/bin/env python3
"""Build the documentation as a site that also works from a folder, without a server and without a network.

    tools/build_site.py [FOLDER]     default: build/site

The pages are those of ``docs/``, the README, the changelog and the benchmarks, and reference pages written from the
code. Zensical renders them, mkdocstrings fills in the docstrings. A link to a page that does not exist is an error.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from reference_pages import api_page, commands_page, settings_page

ROOT = Path(__file__).resolve().parent.parent
MOVED = {
    "README.md": "index.md",
    "CHANGELOG.md": "project/changelog.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "LICENSE": "project/licence.txt",
    "benchmarks/README.md": "benchmarks/measurements.md",
    "benchmarks/results": "benchmarks/results",
    "docs/README.md": "overview.md",
}
"""Where what lies outside docs/ stands on the site."""
GENERATED = {
    "reference/commands.md": commands_page,
    "reference/settings.md": settings_page,
    "reference/api.md": api_page,
}
ZENSICAL = Path(sys.executable).with_name("zensical")
MOST_BYTES = 15 << 20
_SLUGS = "anchors as on GitHub"  # replaced by the name of a function, which safe YAML cannot write
_LINK = re.compile(r"(\]\()([^)\s#:]+)((?:#[^)\s]*)?\))")
_SHIM = re.compile(r'<script src="https://unpkg\.com/iframe-worker/shim"[^>]*></script>')


def collect_pages(target: Path) -> None:
    """Copy every page to its place on the site and rewrite the links between them."""
    shutil.copytree(ROOT / "docs", target, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    documents = [file for file in (ROOT / "docs").rglob("*") if file.is_file()]
    places = {file: target / file.relative_to(ROOT / "docs") for file in documents}
    places |= {ROOT / old: target / new for old, new in MOVED.items()}
    for old, new in MOVED.items():
        if (ROOT / old).is_dir():
            shutil.copytree(ROOT / old, target / new)
        else:
            (target / new).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / old, target / new)
    (target / "README.md").unlink()
    for source, page in places.items():
        if page.suffix == ".md":
            page.write_text(_with_links(source, page, places), encoding="utf-8")
    for name, write in GENERATED.items():
        (target / name).write_text(write(), encoding="utf-8")


def navigation(index: str) -> list[dict[str, object]]:
    """Return the site's navigation from the index of the documentation: one section per heading, a page per link."""
    sections: list[dict[str, object]] = [{"Start": ["index.md", {"All pages": "overview.md"}]}]
    for title, body in re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", index, re.MULTILINE | re.DOTALL):
        links = re.findall(r"\[([^\]]+)\]\(([^)#\s]+\.md)\)", body)
        pages: list[object] = [{name.replace("`", ""): page} for name, page in links]
        if title == "Reference":
            pages += [{"Commands": "reference/commands.md"}, {"Settings": "reference/settings.md"}]
            pages += [{"Python API": "reference/api.md"}]
        sections.append({title: pages})
        if title == "Reference":
            cards = sorted(
                (ROOT / "docs" / "methods").glob("*.md"), key=lambda card: (card.stem != "README", card.stem)
            )
            sections.append({"Method cards": [f"methods/{card.name}" for card in cards]})
    sections.append({"Project": [{"Changelog": "project/changelog.md"}, {"Contribute": "project/contributing.md"}]})
    return sections


def configuration(sections: list[dict[str, object]]) -> dict[str, object]:
    """Return the content of ``mkdocs.yml``."""
    switch = [
        {"media": f"(prefers-color-scheme: {mode})", "scheme": scheme, "toggle": {"icon": icon, "name": other}}
        for mode, scheme, icon, other in (
            ("light", "default", "lucide/sun", "Dark colours"),
            ("dark", "slate", "lucide/moon", "Light colours"),
        )
    ]
    python = {"paths": [str(ROOT / "src")], "options": {"docstring_style": "google", "show_source": False}}
    return {
        "site_name": "convscope",
        "site_description": "From a folder of images to a convolutional network that you understand and can ship.",
        "use_directory_urls": False,
        "nav": sections,
        "theme": {
            "name": "material", "font": False, "palette": switch,
            "features": ["navigation.tabs", "navigation.top", "search.highlight", "content.code.copy"],
        },
        "plugins": ["search", "offline", {"mkdocstrings": {"handlers": {"python": python}}}],
        "markdown_extensions": [
            "tables", "admonition", "pymdownx.superfences", {"toc": {"permalink": True, "slugify": _SLUGS}},
        ],
    }  # fmt: skip


def build(folder: Path) -> None:
    """Build the site into a folder, which is replaced.

    Raises:
        SystemExit: a link leads nowhere, or the site is larger than `MOST_BYTES`.
    """
    with tempfile.TemporaryDirectory() as work:
        pages = Path(work) / "docs"
        collect_pages(pages)
        sections = navigation((pages / "overview.md").read_text(encoding="utf-8"))
        settings = Path(work) / "mkdocs.yml"
        text = yaml.safe_dump(configuration(sections), sort_keys=False)
        settings.write_text(text.replace(_SLUGS, "!!python/object/apply:pymdownx.slugs.slugify {kwds: {case: lower}}"))
        done = subprocess.run([ZENSICAL, "build", "-f", str(settings)], capture_output=True, text=True, cwd=work)
        if done.returncode or "Warning" in done.stdout + done.stderr:
            sys.exit(f"{done.stdout}{done.stderr}\nbuild_site.py: mend the pages named above")
        _work_without_a_server(Path(work) / "site")
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(Path(work) / "site", folder)
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    if size > MOST_BYTES:
        sys.exit(
            f"build_site.py: {folder} has {size / 1e6:.1f} MB, more than {MOST_BYTES / 1e6:.1f}; shrink its pictures"
        )
    print(f"{folder / 'index.html'}: {size / 1e6:.1f} MB")


def _with_links(source: Path, page: Path, places: dict[Path, Path]) -> str:
    """Return a page's text with the links to what has another place on the site rewritten."""

    def moved(link: re.Match[str]) -> str:
        target = (source.parent / link[2]).resolve()
        above = next((old for old in (target, *target.parents) if old in places), None)
        place = places[above] / target.relative_to(above) if above else None
        if place is None:
            return link[0]
        return f"{link[1]}{Path(os.path.relpath(place, page.parent)).as_posix()}{link[3]}"

    return _LINK.sub(moved, source.read_text(encoding="utf-8"))


def _work_without_a_server(site: Path) -> None:
    """Replace the script that the pages would fetch from the network for their search, and drop the site map."""
    shim = site / "assets" / "javascripts" / "worker_in_frame.js"
    shutil.copy(Path(__file__).parent / shim.name, shim)
    for page in site.rglob("*.html"):
        up = "../" * (len(page.relative_to(site).parts) - 1)
        text = page.read_text(encoding="utf-8")
        page.write_text(
            _SHIM.sub(f'<script src="{up}assets/javascripts/{shim.name}"></script>', text), encoding="utf-8"
        )
    (site / "sitemap.xml").unlink(missing_ok=True)


if __name__ == "__main__":
    build(Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build" / "site").resolve())
