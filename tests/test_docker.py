"""What the Dockerfile installs is enough, and its command serves: its steps are tried without Docker."""

import json
import re
import shlex
import subprocess
import sys
import urllib.request
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from convscope.exporters.onnx_file import picture_model
from convscope.exporters.source import open_source_model
from helpers.bundles import drawn, saved

ROOT = Path(__file__).parent.parent
STEPS = [
    shlex.split(line, posix=False)
    for line in (ROOT / "docker" / "Dockerfile").read_text().splitlines()
    if line and not line.startswith("#")
]
REQUIRED = re.findall(r"^[\w-]+", (ROOT / "docker" / "requirements.txt").read_text(), re.MULTILINE)
WITHOUT_OTHERS = """
import sys

class Refused:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in REFUSED:
            raise ModuleNotFoundError(f"{name} is not installed in the image", name=name)

sys.meta_path.insert(0, Refused())
sys.path.insert(0, SOURCE)
from convscope.cli.main import main
main()
"""


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def with_requirements(names):
    """Packages with those that they require on this system, without extras."""
    found, waiting = set(), [normal(name) for name in names]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        try:
            needed = requires(name) or []
        except PackageNotFoundError:
            continue
        found.add(name)
        wanted = [one for one in map(Requirement, needed) if one.marker is None or one.marker.evaluate({"extra": ""})]
        waiting += [normal(one.name) for one in wanted]
    return found


def refused_modules():
    """Modules that are installed here, and not by the requirements."""
    kept = with_requirements(REQUIRED) | {"convscope"}
    return sorted(
        module for module, packages in packages_distributions().items()
        if not kept & {normal(package) for package in packages} and "." not in module
    )  # fmt: skip


def test_the_image_has_every_package_pinned_and_no_pytorch():
    pinned = {
        normal(line.partition("==")[0]) for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line
    }
    installed = with_requirements(REQUIRED)
    assert installed - pinned == set()
    assert not installed & {"torch", "scipy", "scikit-learn", "onnx", "matplotlib"}


def test_every_copied_file_is_there():
    copied = [name for step in STEPS if step[0] == "COPY" for name in step[1:-1]]
    assert copied
    assert [name for name in copied if not (ROOT / name).exists()] == []


@pytest.mark.slow
def test_the_command_of_the_image_serves_an_exported_file(tmp_path):
    saved(tmp_path / "model")
    file = tmp_path / "model.onnx"
    file.write_bytes(picture_model(open_source_model(tmp_path / "model")).SerializeToString())
    (entry,) = [json.loads(" ".join(step[1:])) for step in STEPS if step[0] == "ENTRYPOINT"]
    (default,) = [json.loads(" ".join(step[1:])) for step in STEPS if step[0] == "CMD"]
    assert (entry[0], default) == ("convscope", ["/models/model.onnx"])
    code = WITHOUT_OTHERS.replace("REFUSED", repr(refused_modules())).replace("SOURCE", repr(str(ROOT / "src")))
    command = [sys.executable, "-c", code, *entry[1:], str(file), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        try:
            line = server.stdout.readline()
            port = re.search(r":(\d+) ", line)
            assert port, server.stderr.read()
            request = urllib.request.Request(
                f"http://127.0.0.1:{port[1]}/predict", drawn(tmp_path / "a.png", 0, (16, 12)).read_bytes()
            )
            with urllib.request.urlopen(request, timeout=30) as response:
                answer = json.load(response)
        finally:
            server.terminate()
        assert server.wait(30) == 0
    assert answer["predictions"][0]["label"] in ("cat", "dog", "owl")
