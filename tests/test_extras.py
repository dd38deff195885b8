"""What is missing is named with the command that installs it."""

import subprocess
import sys

import pytest

from convscope.extras import EXTRAS, MissingExtraError, extra, require


@pytest.mark.parametrize(("name", "module"), [(name, module) for name, modules in EXTRAS.items() for module in modules])
def test_a_missing_module_is_named_with_the_command(monkeypatch, name, module):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError) as caught:
        require(name, "charts")
    assert str(caught.value) == f"charts: {module} is not installed; pip install 'convscope[{name}]'"


def test_a_module_that_is_missing_for_another_reason_is_a_bug():
    with pytest.raises(ModuleNotFoundError, match="No module named 'numpyy'"), extra("report", "report"):
        import numpyy  # type: ignore[import-not-found]  # noqa: F401


def test_the_explorer_without_its_server_is_refused_in_one_line(tmp_path):
    script = (
        "import sys; sys.modules['fastapi'] = None; sys.argv = ['convscope', 'explore', 'run']\n"
        "from convscope.cli.main import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path)
    expected = "convscope: explore: fastapi is not installed; pip install 'convscope[explorer]'\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", expected)


@pytest.mark.slow
def test_training_without_the_report_packages_keeps_the_network_and_says_how_to_get_the_report(tmp_path, few):
    """The packages are hidden in a process of its own, as other tests have imported them in this one."""
    settings = "{'model.options': {'width': 4, 'depths': [1, 1]}, 'train.threads': 1}"
    script = (
        "import sys; sys.modules['matplotlib'] = None; sys.modules['jinja2'] = None\n"
        f"import convscope as cs\nrun = cs.train({few!r}, out='run', epochs=1, settings={settings})\n"
        "print(run.evaluate()['accuracy'] >= 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path)
    assert done.stderr == ""
    assert "report: not written; pip install 'convscope[report]', then: convscope report run" in done.stdout
    assert done.stdout.splitlines()[-1] == "True"
    assert not (tmp_path / "run" / "report.html").exists()
