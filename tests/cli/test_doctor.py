"""``convscope doctor``: a table or JSON, and an exit code that a script can read."""

import json
import sys

import pytest
from typer.testing import CliRunner

import convscope as cs
from convscope.cli.main import app
from convscope.installation import Check


@pytest.fixture
def quick(monkeypatch, tmp_path):
    monkeypatch.setenv("CONVSCOPE_CACHE", str(tmp_path))
    home = sys.modules["convscope.api.doctor"]
    checks = [Check("torchvision", "ok", "not installed, and not needed")]
    monkeypatch.setattr(home, "check_torchvision", lambda: checks[0])
    return checks


@pytest.mark.usefixtures("quick")
def test_the_table_names_every_part():
    done = CliRunner().invoke(app, ["doctor"])
    for part in ("Python", "processor", "GPU", "torch", "extra onnx", "cache images"):
        assert part in done.output
    assert done.exit_code == 0


def test_a_problem_gives_exit_code_1_and_its_remedy(quick):
    quick[0] = Check("torchvision", "problem", "its import fails", "uninstall it")
    done = CliRunner().invoke(app, ["doctor", "--json"])
    found = json.loads(done.output)
    assert (done.exit_code, found["ok"]) == (1, False)
    assert {"name": "torchvision", "state": "problem", "found": "its import fails", "remedy": "uninstall it"} in found[
        "checks"
    ]
    assert CliRunner().invoke(app, ["doctor"]).output.rstrip().endswith("torchvision: uninstall it")


@pytest.mark.usefixtures("quick")
def test_cleaning_says_what_was_deleted():
    done = CliRunner().invoke(app, ["doctor", "--clean", "images"])
    assert "cleaned images: 0.0 MB" in done.output


def test_problems_come_first_in_the_library(quick):
    quick[0] = Check("torchvision", "problem", "its import fails", "uninstall it")
    found = cs.doctor()
    assert isinstance(found, cs.results.Installation)
    assert found.remedies()[0] == "torchvision: uninstall it"
    assert "torchvision" in repr(found)
    assert "<td>torchvision</td>" in found._repr_html_()
