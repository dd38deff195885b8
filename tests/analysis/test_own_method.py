"""Add an explain method as docs/how-to/extend/explain-method.md shows: one file, one line; all interfaces have it."""

import json
import re
import shutil
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from convscope.analysis.registry import METHODS
from convscope.api import Run
from convscope.explorer import Session, application
from helpers.explorer_client import HOME, TOKEN, done

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "extend" / "explain-method.md"


@pytest.fixture(autouse=True)
def _brightness():
    """Execute the page's two code blocks; restore the registry afterwards."""
    file, line = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    original = dict(METHODS)
    namespace = {"__name__": "brightness"}
    exec(compile(file, "brightness.py", "exec"), namespace)
    exec(compile(line, "registration.py", "exec"), namespace)
    yield
    METHODS.clear()
    METHODS.update(original)


@pytest.fixture
def run(finished, tmp_path):
    return shutil.copytree(finished, tmp_path / "run")


def test_it_has_a_command_with_its_option_and_help(convscope, run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    code, text, _ = convscope("explain", "brightness", "--help")
    assert code == 0
    assert "--factors" in text
    assert "Number of brightness factors from 0.5 to 1.5." in text
    assert "Limitations: real photos that are dark also have more noise." in text
    assert "brightness" in convscope("explain", run, "--help")[1]
    code, text, _ = convscope("explain", run, "brightness", "--factors", "3", "--max-images", "4", "--json")
    assert code == 0
    assert json.loads(text)["settings"]["factors"] == 3
    assert len(json.loads(text)["probabilities"]) == 3
    assert (run / "explain" / "brightness" / "brightness.png").exists()


def test_it_is_a_method_of_a_run_and_in_its_report(run):
    assert Run(run).explain("brightness", factors=2).summary[0].startswith("the probability falls by ")
    assert "<h3>brightness</h3>" in Run(run).report().read_text()


def test_it_has_an_http_schema_and_runs_in_the_explorer(run):
    session = Session.open(run)
    app = application(session, TOKEN)
    with TestClient(app, base_url=HOME, headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        content = client.get("/api/methods").json()["methods"][-1]
        assert (content["name"], content["schema"]["properties"]["factors"]["maximum"]) == ("brightness", 50)
        job = done(client, "brightness", images=["validation-1"], factors=2)
        assert job["state"] == "done"
        assert list(job["result"]["pictures"]) == ["brightness"]
        response = client.post("/api/jobs", json={"method": "brightness", "settings": {"factors": 1}}).json()
        assert response["error"] == "explain brightness: factors is 1; it should be greater than or equal to 2"
