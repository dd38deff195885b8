#!/usr/bin/env python3
"""Run the commands of the tutorials on real data, and write their output, pictures and times into the pages.

    tools/make_tutorials.py FOLDER [PAGE ...]     FOLDER holds hymenoptera and fsdd; default: all pages

A page is ``docs/tutorials/NAME.md``. What stands between the commands is written by hand; the script

- writes the files that fences show, and runs each ```` ```bash ```` fence in order, in a temporary folder;
- replaces the ```` ```text ```` fence that follows it by its output and its time; above the fence,
  ``<!-- output: 8 first, 4 last -->`` shortens it;
- takes the picture for ``<!-- picture: FILE -->``, or of one card of a report for ``<!-- card: TITLE of FILE -->``,
  and writes it where the link below says.

No picture may show images of the data: charts and numbers only. Takes about 15 minutes on two busy cores.
"""

import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from page_fences import fences_of

ROOT = Path(__file__).resolve().parent.parent
PAGES = {"ants-and-bees": "hymenoptera", "spoken-digits": "fsdd"}
"""Each page's data set, which stands in its folder under this name."""
CHROMIUM = "/usr/bin/chromium"
WIDEST, MOST_BYTES = 900, 120_000
_STEP = re.compile(
    r"^```bash\n(?P<commands>.*?)^```\n"
    r"(?P<shown>\n(?:<!-- output: (?P<first>\d+) first, (?P<last>\d+) last -->\n)?```text\n.*?^```$)?"
    r"|^<!-- (?P<what>picture|card): (?P<source>[^>]+?) -->\n!\[[^\]]*\]\((?P<picture>[^)]+)\)$",
    re.MULTILINE | re.DOTALL,
)


def main(data: Path, names: list[str]) -> None:
    """Write these pages again."""
    for name in names or PAGES:
        page = ROOT / "docs" / "tutorials" / f"{name}.md"
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            shutil.copytree(data / PAGES[name], place / PAGES[name])
            for fence in fences_of(page):
                if fence.file:
                    (place / fence.file).write_text(fence.text, encoding="utf-8")
            page.write_text(written(page, place), encoding="utf-8")


def written(page: Path, place: Path) -> str:
    """Run a page's commands in a folder; return the page with what they printed and drew."""

    def step(found: re.Match[str]) -> str:
        if found["what"]:
            make_picture(found["what"], found["source"], place, page.parent / found["picture"])
            return found[0]
        output = run(found["commands"], place)
        if found["shown"] is None:
            return found[0]
        limit = f"<!-- output: {found['first']} first, {found['last']} last -->\n" if found["first"] else ""
        lines = shortened(output, int(found["first"] or len(output)), int(found["last"] or 0))
        return f"```bash\n{found['commands']}```\n\n{limit}```text\n" + "\n".join(lines) + "\n```"

    return _STEP.sub(step, page.read_text(encoding="utf-8"))


def run(commands: str, place: Path) -> list[str]:
    """Run a fence in a shell; the lines that it printed, and the seconds it took.

    Raises:
        SystemExit: a command failed.
    """
    environment = {**os.environ, "PATH": f"{commands_folder(place)}:{os.environ['PATH']}", "COLUMNS": "120"}
    started = time.monotonic()
    done = subprocess.run(
        ["bash", "-e", "-c", commands], cwd=place, env=environment, capture_output=True, text=True, check=False
    )
    seconds = time.monotonic() - started
    print(f"{commands}{done.stdout}{done.stderr}({seconds:.0f} s)", flush=True)
    if done.returncode:
        sys.exit(f"make_tutorials.py: {commands.strip()}: exit code {done.returncode}")
    lines = [line.rstrip().replace(f"{place}/", "") for line in done.stdout.splitlines()]
    return [*lines, f"({seconds:.0f} s)"]


def commands_folder(place: Path) -> Path:
    """A folder with this checkout's command line under its name."""
    folder = place / ".commands"
    if not folder.exists():
        folder.mkdir()
        command = folder / "convscope"
        command.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT / "src"} exec {sys.executable} -m convscope "$@"\n')
        command.chmod(0o755)
    return folder


def shortened(lines: list[str], first: int, last: int) -> list[str]:
    """The first and the last lines with three dots for the others; the time is the last line."""
    if len(lines) <= first + last + 1:
        return lines
    return [*lines[:first], "...", *lines[len(lines) - last - 1 :]]


def make_picture(what: str, source: str, place: Path, target: Path) -> None:
    """Write a picture of a file, or of a card of a report, at most `WIDEST` wide and of `MOST_BYTES`."""
    if what == "card":
        title, file = source.split(" of ")
        picture = Image.open(io.BytesIO(card(place / file, title))).convert("RGB")
    else:
        picture = Image.open(place / source).convert("RGB")
    if picture.width > WIDEST:
        picture = picture.resize((WIDEST, round(picture.height * WIDEST / picture.width)), Image.Resampling.LANCZOS)
    target.parent.mkdir(exist_ok=True)
    picture.quantize(96, dither=Image.Dither.NONE).save(target, optimize=True)
    if target.stat().st_size > MOST_BYTES:
        sys.exit(f"make_tutorials.py: {target}: {target.stat().st_size:,} bytes, more than {MOST_BYTES:,}")


def card(report: Path, title: str) -> bytes:
    """What stands below a heading of a report, as PNG."""
    with sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1000, "height": 900}, color_scheme="light")
        page.goto(report.resolve().as_uri())
        heading = page.get_by_role("heading", name=title, exact=True)
        found = heading.locator("xpath=following-sibling::*[contains(@class, 'card')][1]").screenshot()
        browser.close()
        return found


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), sys.argv[2:])
