"""Run the code fences of a page: short trainings in this process, servers beside it, the rest in a shell."""

import contextlib
import io
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import threading
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from page_fences import Fence

ROOT = Path(__file__).parent.parent.parent
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
SERVERS = ("serve", "explore")
SHORT = [
    (r"\s+#.*$", ""),
    (r"^(convscope (?:train|compare) .*?)--budget \S+", r"\1--budget 5s"),
    (r"^(convscope train (?!.*--(?:resume|budget|epochs)).*)$", r"\1 --epochs 1"),
    (
        r"^(convscope train (?!.*(?:--resume|--recipe|--model|--from (?!scratch)|\.csv)).*)$",
        r"\1 --set model.options.width=8",
    ),
    (r"--model (?:se_)?resnet\d+", r"\g<0> --set model.options.width=8"),
    (r"(?<=photos) --from imagenet", r"\g<0> --set data.size=[64,64]"),
    (r"^(convscope tune \S+) --budget \S+", r"\1"),
    (r"width=16:256", "width=4:8"),
    (r"^(convscope tune (?!.*--resume).*)$", r"\1 --trials 1 --set train.batch=64"),
    (r"^(convscope compare (?!.*--budget).*--recipes.*)$", r"\1 --budget 1s"),
    (r"--seeds \d+", "--seeds 1"),
    (r"--processes \d+", "--processes 2"),
]
"""How a command is cut so that a page takes seconds: times, epochs, trials, processes, and the width of the default
network, which that of texts does not have."""
SHORT_CODE = [
    (r'(cs\.tune\(.*)budget="\w+"', r'\1trials=1, settings={"train.batch": 64}'),
    (r'budget="\w+"', 'epochs=1, settings={"model.options.width": 8}'),
    (r", epochs=\d+", ", epochs=1"),
    (r'"train.epochs": \d+', '"train.epochs": 1'),
    (r'"train.processes": \d+', '"train.processes": 2, "train.epochs": 1, "model.options.width": 8'),
    (r'cs\.train\("digits"\)', 'cs.train("digits", epochs=1)'),
]
"""The same for Python."""


class Page:
    """Runs the fences of one page in a folder, one after the other; variables of Python fences stay."""

    def __init__(self, folder: Path, convscope: Callable[..., tuple[int, str, str]]) -> None:
        self.folder, self.convscope = folder, convscope
        self.variables: dict[str, Any] = {}
        self.servers: list[tuple[subprocess.Popen[str], threading.Thread]] = []
        self.port = free_port()
        command = folder / ".venv" / "bin" / "convscope"
        command.parent.mkdir(parents=True)
        command.write_text(f'#!/bin/sh\nexec {sys.executable} -m convscope "$@"\n')
        command.chmod(0o755)

    def run(self, fence: Fence) -> None:
        """Run a fence, or write the file that it shows."""
        text = fence.text.replace("127.0.0.1:8080", f"127.0.0.1:{self.port}")
        if fence.file:
            (self.folder / fence.file).write_text(text, encoding="utf-8")
        elif fence.language == "python":
            exec(compile(shortened(text, SHORT_CODE), fence.place, "exec"), self.variables)
        elif fence.language == "bash":
            for line in text.splitlines():
                self.command(line, fence)

    def command(self, line: str, fence: Fence) -> None:
        """Run one command.

        Raises:
            AssertionError: it failed.
        """
        line = shortened(line.removeprefix(".venv/bin/"), SHORT)
        words = shlex.split(line, comments=True)
        if not words:
            return
        if words[:2] == ["pip", "install"]:
            check_installation(words[2:])
        elif words[0] == "convscope" and words[1] in SERVERS:
            self.serve(words[1:])
        elif words[:3] == ["convscope", "tune", "--resume"] and len(words) == 4:
            leave_unfinished(self.folder / words[3])
            self.in_process(words, fence)
        elif words[0] == "convscope" and not set(words) & {"|", ">", "&&"}:
            self.in_process(words, fence)
        else:
            done = self.shell(line)
            assert done.returncode == 0, f"{fence.place}: {line}: {done.stdout[-1500:]}\n{done.stderr[-1500:]}"

    def in_process(self, words: list[str], fence: Fence) -> None:
        """Run convscope in this process.

        Raises:
            AssertionError: it failed.
        """
        with quiet_input("quit\n" * 3):
            code, out, err = self.convscope(*words[1:])
        assert code == 0, f"{fence.place}: {shlex.join(words)}: exit code {code}\n{out[-1500:]}\n{err[-1500:]}"

    def shell(self, line: str) -> subprocess.CompletedProcess[str]:
        """Run a line in a shell."""
        return subprocess.run(
            ["bash", "-o", "pipefail", "-c", line], cwd=self.folder, env=self.environment(),
            capture_output=True, text=True, timeout=120,
        )  # fmt: skip

    def serve(self, words: list[str]) -> None:
        """Start a server, and wait until it has printed its link."""
        port, last = (self.port, []) if words[0] == "serve" else (free_port(), ["--no-open"])
        command = [*words, *(word for word in last if word not in words), "--port", str(port)]
        process = subprocess.Popen(
            [sys.executable, "-m", "convscope", *command], cwd=self.folder, env=self.environment(),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        printed = []
        for text in process.stdout:
            printed.append(text)
            if f":{port}" in text:
                reader = threading.Thread(target=process.stdout.read, daemon=True)
                reader.start()
                self.servers.append((process, reader))
                return
        raise AssertionError(f"{shlex.join(command)} ended: {''.join(printed)[-1500:]}")

    def close(self) -> None:
        """Stop the servers as Ctrl-C does."""
        for process, reader in self.servers:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=60)
            reader.join()
            assert process.stdout is not None
            process.stdout.close()

    def environment(self) -> dict[str, str]:
        """Variables of the processes: the package of this checkout, one thread, `convscope` on the path."""
        paths = f"{self.folder / '.venv' / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        return {**os.environ, "PYTHONPATH": str(ROOT / "src"), "PATH": paths, "OMP_NUM_THREADS": "1"}


def shortened(text: str, rules: list[tuple[str, Any]]) -> str:
    """Return a command or code with short times and few epochs."""
    for pattern, replacement in rules:
        text = re.sub(pattern, replacement, text)
    return text


def check_installation(words: list[str]) -> None:
    """Check that an installation names extras and files that there are; nothing is installed."""
    for option, name in zip(["", *words], words, strict=False):
        if option in ("-r", "-c"):
            assert (ROOT / name).is_file(), f"pip install {option} {name}: no such file"
        elif not name.startswith("-") and name != ".":
            extras = re.fullmatch(r"convscope\[([\w,]+)\]", name)
            assert extras, f"pip install {name}: not an extra of convscope"
            assert set(extras[1].split(",")) <= set(EXTRAS), f"{name}: no such extra"


def leave_unfinished(search: Path) -> None:
    """Cut the last record of a search's log, as a power failure before its end does."""
    log = search / "search.jsonl"
    log.write_text("".join(log.read_text(encoding="utf-8").splitlines(keepends=True)[:-1]), encoding="utf-8")


@contextlib.contextmanager
def quiet_input(text: str):
    """Answer what a command asks."""
    before, sys.stdin = sys.stdin, io.StringIO(text)
    try:
        yield
    finally:
        sys.stdin = before


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
