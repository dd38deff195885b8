"""The code of the documentation: what can be run is run in the tests, and what is shown only says why."""

import json
import shutil
import tomllib
from pathlib import Path

import pytest

from helpers.page_commands import Page
from helpers.page_folder import examples_are_few, page_folder, recordings, texts, volumes  # noqa: F401
from page_fences import LANGUAGES, Fence, fences_of

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
ELSEWHERE = {
    "docs/methods": "tests/explainers/test_cards.py",
    "docs/how-to/extend/add-a-task.md": "tests/tasks/test_sixth.py",
    "docs/how-to/extend/add-a-target.md": "tests/contracts/test_extending.py",
    "docs/how-to/extend/add-a-layout.md": "tests/contracts/test_extending.py",
    "docs/how-to/extend/add-an-input.md": "tests/contracts/test_extending.py",
    "docs/how-to/extend/explain-method.md": "tests/analysis/test_own_method.py",
    "docs/tutorials/ants-and-bees.md": "tools/make_tutorials.py",
    "docs/tutorials/spoken-digits.md": "tools/make_tutorials.py",
}
"""Pages and folders whose code another test or script runs."""
PREPARED = {
    "docs/how-to/train-on-sound.md": recordings,
    "docs/how-to/train-on-text.md": texts,
    "docs/how-to/train-on-volumes.md": volumes,
}
"""What a page needs beyond the folder of all pages."""
LONGEST_REASON = 80


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def elsewhere(page: Path) -> bool:
    return name_of(page) in ELSEWHERE or (name_of(page.parent) in ELSEWHERE and page.stem != "README")


def is_run(fence: Fence) -> bool:
    return not fence.reason and (bool(fence.file) or fence.language in ("bash", "python"))


RUN = [page for page in PAGES if not elsewhere(page) and any(map(is_run, fences_of(page)))]


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", RUN, ids=name_of)
@pytest.mark.usefixtures("examples_are_few", "no_report")
def test_the_code_of_a_page_runs_from_top_to_bottom(page, page_folder, tmp_path, convscope, monkeypatch):  # noqa: F811
    folder = tmp_path / "work"
    shutil.copytree(page_folder, folder)
    PREPARED.get(name_of(page), lambda _folder: None)(folder)
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("CONVSCOPE_PROGRESS", str(tmp_path / "progress.json"))
    run = Page(folder, convscope)
    try:
        for fence in filter(is_run, fences_of(page)):
            run.run(fence)
    finally:
        run.close()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_fence_has_a_known_language_and_parses(page):
    for fence in fences_of(page):
        assert fence.language in ("", *LANGUAGES), f"{fence.place}: {fence.language}; use one of {LANGUAGES}"
        assert not (fence.has_commands and fence.language in ("", "text")), f"{fence.place}: write ```bash"
        assert len(fence.reason) <= LONGEST_REASON, f"{fence.place}: say in one short clause why it is not run"
        if fence.language == "toml":
            tomllib.loads(fence.text)
        elif fence.language == "json":
            json.loads(fence.text)
        elif fence.language == "python":
            compile(fence.text, fence.place, "exec")


def test_code_that_another_test_runs_is_named_in_that_test():
    for page, file in ELSEWHERE.items():
        assert Path(page).stem in (ROOT / file).read_text(encoding="utf-8"), f"{file} does not run {page}"


def test_a_fence_knows_its_line_its_file_and_why_it_is_not_run(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "# A\n\n```bash\nconvscope train photos\n```\n\n- item\n\n  ```python\n  x = 1\n  if x:\n      y = 2\n  ```\n\n"
        "<!-- not run: needs a GPU -->\n```bash\nconvscope serve\n```\n\n```toml\n# mine.toml\na = 1\n```\n\n"
        "```\nb\n```\n"
    )
    fences = fences_of(page)
    assert [(fence.place, fence.language, fence.file, fence.reason) for fence in fences] == [
        ("page.md:3", "bash", "", ""), ("page.md:9", "python", "", ""), ("page.md:16", "bash", "", "needs a GPU"),
        ("page.md:20", "toml", "mine.toml", ""), ("page.md:25", "", "", ""),
    ]  # fmt: skip
    assert fences[1].text == "x = 1\nif x:\n    y = 2\n"
    assert [fence.has_commands for fence in fences] == [True, False, True, False, False]
