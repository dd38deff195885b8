"""Programs of torch.export give the run's answers, in a process that has no convscope."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from convscope.errors import ConfigError
from convscope.exporters import ExportRequest, export_model
from convscope.exporters.examples import image_contents
from convscope.exporters.proof import ProofError, expected_answers
from convscope.exporters.torch_form import program_of, prove_program
from helpers.bundles import drawn
from helpers.task_sources import CASES, SIZES, source_of


@pytest.fixture(scope="module")
def program(shipped):
    return program_of(shipped.source)


@pytest.fixture(scope="module")
def examples(shipped):
    return expected_answers(shipped.source, image_contents(shipped.files))


def test_a_program_is_written_with_its_proof_and_what_it_is(shipped, examples, tmp_path):
    found = export_model("torch", ExportRequest(shipped.folder, tmp_path, images=tuple(shipped.files)))
    assert [file.name for file in found.files] == ["model.pt2", "model.pt2.parity.json", "latency.json"]
    proof = json.loads(found.files[1].read_text())
    assert (proof["images"], proof["different_answers"], proof["passed"]) == (14, 0, True)
    assert proof["largest_difference"] <= 1e-5
    facts = {"classes": "", "task": "", "weights_sha256": ""}
    opened = torch.export.load(found.files[0], extra_files=facts).module()
    assert (facts["classes"], facts["task"]) == ('["cat", "dog", "owl"]', "classify")
    answers = opened(torch.from_numpy(np.stack([one.decoded.pixels for one in examples[:2]])))
    assert answers["label"].tolist() == [int(one.answers["label"][0]) for one in examples[:2]]


def test_a_program_of_other_weights_is_refused(shipped, program, examples):
    with torch.no_grad():
        weight = next(shipped.source.model.parameters())
        before = weight.clone()
        weight[0] += 1.0
        changed = program_of(shipped.source)
        weight.copy_(before)
    assert prove_program(shipped.source, program, examples).largest_difference <= 1e-5
    with pytest.raises(ProofError) as caught:
        prove_program(shipped.source, changed, examples)
    assert str(caught.value).startswith("export resnet18: the program does not give the run's answers: ")
    assert str(caught.value).endswith(", more than 1e-04; nothing was written")


@pytest.mark.slow
@pytest.mark.parametrize("case", [CASES[0], CASES[3], CASES[4]], ids=lambda case: f"{case[0]}-{case[1]}-{case[4]}")
def test_every_task_is_proven(case, tmp_path):
    files = [drawn(tmp_path / f"{number}.png", number, size) for number, size in enumerate(SIZES)]
    source = source_of(*case)
    found = prove_program(source, program_of(source), expected_answers(source, image_contents(files)))
    assert (found.images, found.different_answers, found.passed) == (5, 0, True)


@pytest.mark.slow
def test_a_program_runs_without_convscope(program, examples, tmp_path):
    (tmp_path / "model.pt2").write_bytes(program)
    np.save(tmp_path / "pixels.npy", np.stack([one.decoded.pixels for one in examples[:3]]))
    script = (
        "import sys; sys.modules['convscope'] = None\n"
        "import numpy as np, torch\n"
        "answers = torch.export.load('model.pt2').module()(torch.from_numpy(np.load('pixels.npy')))\n"
        "print(answers['label'].tolist())"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", script], capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout == f"{[int(one.answers['label'][0]) for one in examples[:3]]}\n", done.stderr


def test_the_network_alone_is_a_form_of_onnx_only(shipped, tmp_path):
    with pytest.raises(ConfigError) as caught:
        export_model("torch", ExportRequest(shipped.folder, tmp_path, bare=True))
    assert str(caught.value) == "export --bare: only --to onnx writes the network alone, not torch; leave it out"
