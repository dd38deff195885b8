"""Add a task as docs/how-to/extend/add-a-task.md shows: one class, one line in the dict; all commands use it."""

import re
from pathlib import Path

from convscope.api import Run, RunFolder, task_of
from convscope.api import train as trained
from convscope.tasks import TASKS

GUIDE = Path(__file__).parent.parent.parent / "docs" / "how-to" / "extend" / "add-a-task.md"


def test_the_task_of_the_guide_trains_evaluates_reports_and_predicts(tmp_path, monkeypatch):
    code = next(
        block for block in re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL) if "class " in block
    )
    (tmp_path / "ordinal.py").write_text(code)
    monkeypatch.syspath_prepend(str(tmp_path))
    from ordinal import Ordinal

    monkeypatch.setitem(TASKS, "ordinal", Ordinal)
    settings = {"task": "ordinal", "model.options": {"width": 4, "depths": [1, 1]}, "train.threads": 1}
    run = trained("digits", out=tmp_path / "run", epochs=1, settings=settings)
    assert isinstance(run, Run)
    assert isinstance(task_of(run.path), Ordinal)
    assert {"loss", "off_by"} <= run.evaluate("test").keys()
    page = RunFolder(run.path).report.read_text()
    assert "Error in levels" in page
    assert "validation close" in page
    from PIL import Image

    Image.new("L", (8, 8), 100).save(tmp_path / "x.png")
    (answer,) = run.predict(tmp_path / "x.png")
    assert answer.to_dict()["level"] in set("0123456789")
