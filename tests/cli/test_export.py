"""convscope export"""

import json

import pytest

from convscope.exported import open_exported


@pytest.mark.slow
def test_a_run_is_exported_with_its_proof_and_the_bare_network(convscope, finished, tmp_path):
    code, out, err = convscope("export", str(finished), "--bare", "--out", str(tmp_path / "shipped"))
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].startswith("proof: 208 of 208 images have the same answer, largest difference ")
    assert lines[1].startswith("time: run ")
    names = ("model.onnx", "network.onnx", "parity.json", "latency.json")
    assert lines[2:] == [str(tmp_path / "shipped" / name) for name in names]
    proof = json.loads((tmp_path / "shipped" / "parity.json").read_text())
    assert (proof["images"], proof["different_answers"], proof["passed"]) == (208, 0, True)
    assert proof["largest_difference"] <= 1e-4
    assert open_exported(tmp_path / "shipped" / "model.onnx").card["data"] == "digits"


def test_another_form_is_refused(convscope):
    code, _, err = convscope("export", "run", "--to", "onxx")
    assert (code, err) == (2, "convscope: export: no form onxx; did you mean onnx?\n")
