"""Every task's answers come out of the file as from `predict`, in pixels of pictures of any size."""

import pytest

from convscope.exporters.examples import image_contents
from convscope.exporters.onnx_file import picture_model
from convscope.exporters.onnx_form import prove
from convscope.exporters.proof import expected_answers
from helpers.bundles import drawn
from helpers.task_sources import CASES, SIZES, source_of


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}-{case[1]}-{case[4]}")
def test_a_task_is_proven_on_pictures_of_any_size(case, tmp_path):
    files = [drawn(tmp_path / f"{number}.png", number, size) for number, size in enumerate(SIZES)]
    source = source_of(*case)
    found = prove(source, picture_model(source), expected_answers(source, image_contents(files)))
    assert found.passed
    assert (found.images, found.different_answers, found.full_size_different_answers) == (5, 0, 0)
    assert found.full_size_difference <= 1e-4
