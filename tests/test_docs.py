"""The documentation: every relative link, anchor and image resolves, and the index lists every page."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from convscope.runs.recipe import Recipe

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "benchmarks").glob("*.md")])
INDEXED = [page for page in (ROOT / "docs").rglob("*.md") if page.name != "README.md" and page.parent.name != "methods"]
LINK = re.compile(r"\]\(([^)\s]+)\)")


def text_of(page: Path) -> str:
    """A page without its code, in which brackets are no links."""
    text = re.sub(r"^ *```.*?^ *```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`\n]*`", "", text)


def anchors_of(page: Path) -> set[str]:
    """The anchors that GitHub gives a page's headings."""
    text = re.sub(r"^ *```.*?^ *```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(page: Path) -> list[str]:
    """Relative links of a page whose file or anchor does not exist."""
    broken = []
    for link in LINK.findall(text_of(page)):
        if re.match(r"[a-z]+:", link):
            continue
        file, _, anchor = link.partition("#")
        target = page.parent / file if file else page
        if not target.exists() or (anchor and anchor not in anchors_of(target)):
            broken.append(link)
    return broken


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_of_a_page_resolves(page: Path) -> None:
    assert broken_links(page) == []


def test_a_planted_broken_link_image_or_anchor_is_found(tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("# Other\n\n## A heading, with commas\n")
    page = tmp_path / "page.md"
    page.write_text(
        "[a](other.md) [b](other.md#a-heading-with-commas) [c](#none) [d](gone.md) ![e](gone.png) "
        "[f](https://example.org/gone) `[g](code.md)` [h](other.md#gone)\n```\n[i](code.md)\n```\n"
    )
    assert broken_links(page) == ["#none", "gone.md", "gone.png", "other.md#gone"]


@pytest.mark.parametrize("page", INDEXED, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_index_lists_every_page(page: Path) -> None:
    index = ROOT / "docs" / "README.md"
    listed = {(index.parent / link.partition("#")[0]).resolve() for link in LINK.findall(text_of(index))}
    assert page.resolve() in listed


def test_every_page_that_the_source_or_a_page_names_exists() -> None:
    files = [*PAGES, *(file for suffix in ("py", "js", "html") for file in (ROOT / "src").rglob(f"*.{suffix}"))]
    named = {
        (file.name, path)
        for file in files
        for path in re.findall(r"\bdocs/[\w./-]*\.(?:md|png|py)\b", file.read_text(encoding="utf-8"))
    }
    assert named
    assert [name for name in sorted(named) if not (ROOT / name[1]).exists()] == []


SETTINGS = {
    section: set(field.annotation.model_fields)
    for section, field in Recipe.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
}
CODE = {"images"}  # data.images in code that uses a dataset
FILES = {"csv", "json", "md", "onnx", "safetensors", "txt", "yaml"}  # data.json, model.onnx
MISSPELLED = {"train.epoch"}  # the example of an error


def unknown_settings(text: str) -> set[str]:
    """Names such as train.epochs in a text of which the recipe has no setting."""
    named = re.findall(rf"(?<![\w./-])({'|'.join(SETTINGS)})\.([a-z_]+)(?![\w/(])", text)
    return {f"{section}.{name}" for section, name in named if name not in SETTINGS[section] | FILES | CODE} - MISSPELLED


@pytest.mark.parametrize(
    "page",
    [p for p in PAGES if "decisions" not in p.parts and p.name != "CHANGELOG.md"],
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_every_setting_that_a_page_names_exists(page: Path) -> None:
    assert unknown_settings(page.read_text(encoding="utf-8")) == set()


def test_a_planted_unknown_setting_is_found() -> None:
    assert unknown_settings("`train.epochs`, `--set train.crops=1`, `data.json`, data.shape(x)") == {"train.crops"}
