#!/usr/bin/env python3
"""One file to start with; needs Python 3.11 or newer and nothing else.

python3 start.py           make .venv, install convscope into it, train on the embedded digits
python3 start.py test      make .venv if it is missing, run the tests (what follows goes to pytest: -m slow, -k resume)
python3 start.py check     the same for style (ruff), types (mypy) and discarded words (tools/check_words.py)
python3 start.py docs      the same, build the documentation as a site in build/site
python3 start.py install   only make .venv and install
"""

import hashlib
import json
import os
import subprocess
import sys
import venv
from pathlib import Path

HOME = Path(__file__).resolve().parent
ENVIRONMENT = HOME / ".venv"
PYTHON = ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = ENVIRONMENT / "installed.json"
QUICK = "not slow and not browser"  # unless another -m is given, which then counts


def say(sentence: str) -> None:
    print(f"start.py: {sentence}", flush=True)


def run(*words: str | Path) -> None:
    """Run the environment's Python with these words; end with its exit code if it fails.

    What Python compiles is kept, so that no process that the tests start compiles the package anew.
    """
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    code = subprocess.run([str(PYTHON), *map(str, words)], cwd=HOME, env=variables).returncode
    if code:
        sys.exit(code)


def make_environment() -> None:
    say(f"making {ENVIRONMENT}")
    try:
        venv.create(ENVIRONMENT, with_pip=True, clear=True)
    except subprocess.CalledProcessError:
        sys.exit(
            "start.py: this Python cannot make environments with pip; on Debian and Ubuntu: apt install python3-venv"
        )


def install(extra: str) -> None:
    """Install convscope with `extra` ("all" or "dev"), unless just that was done before."""
    sources = "".join((HOME / name).read_text(encoding="utf-8") for name in ("pyproject.toml", "constraints.txt"))
    wanted = {
        "sources": hashlib.sha256(sources.encode()).hexdigest(),
        "extras": ["all", extra] if extra != "all" else ["all"],
    }
    done = json.loads(STAMP.read_text()) if PYTHON.exists() and STAMP.exists() else {}
    if done.get("sources") == wanted["sources"] and extra in done["extras"]:
        return
    if not PYTHON.exists():
        make_environment()
    say("installing; the first time this takes a few minutes, most of it PyTorch")
    what = f".[{extra}]"
    run("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-c", "constraints.txt", "-e", what)
    STAMP.write_text(json.dumps(wanted))


def main(words: list[str]) -> None:
    match words:
        case []:
            install("all")
            run("-m", "convscope", "train", "digits")
        case ["install"]:
            install("all")
        case ["test", *more]:
            install("dev")
            run("-m", "pytest", "-n", "2", "-m", QUICK, *more)
        case ["docs"]:
            install("docs")
            run("tools/build_site.py")
        case ["check"]:
            install("dev")
            run("-m", "ruff", "check", ".")
            run("-m", "ruff", "format", "--check", ".")
            run("-m", "mypy")
            run("tools/check_words.py")
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    if sys.version_info < (3, 11):  # noqa: UP036  people do run this with what they have
        sys.exit(f"start.py: Python 3.11 or newer is needed, this is {sys.version.split()[0]}")
    main(sys.argv[1:])
