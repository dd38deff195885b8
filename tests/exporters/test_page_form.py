"""A page has the network's weights and stages, is proven, and is refused in one sentence where it cannot be."""

import json
import re

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from convscope.errors import ConfigError
from convscope.exporters import ExportRequest, export_model
from convscope.exporters.examples import image_contents
from convscope.exporters.network import Traced
from convscope.exporters.page_form import check_size
from convscope.exporters.page_graph import page_graph
from convscope.exporters.page_html import facts, html, pattern
from convscope.exporters.page_proof import proven_graph
from convscope.exporters.proof import ProofError, expected_answers
from convscope.exporters.source import Source


@pytest.fixture
def traced(shipped, monkeypatch):
    """The traced network, to be changed; tracing returns it."""
    model = onnx.ModelProto()
    model.CopyFrom(shipped.traced.model)
    found = Traced(model, shipped.traced.outputs, shipped.traced.multiple)
    monkeypatch.setattr("convscope.exporters.page_proof.trace", lambda *_given: found)
    return found


def scale(traced, name, factor):
    (tensor,) = [one for one in traced.model.graph.initializer if one.name == name]
    tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor) * np.float32(factor), name))


def consumers(traced, value):
    return [node for node in traced.model.graph.node if value in node.input]


@pytest.mark.usefixtures("traced")
def test_a_page_is_one_file_with_its_proof(shipped, tmp_path):
    found = export_model("page", ExportRequest(shipped.folder, tmp_path, images=tuple(shipped.files)))
    assert [file.name for file in found.files] == ["page.html", "page.parity.json"]
    proof = json.loads(found.files[1].read_text())
    assert (proof["images"], proof["different_answers"], proof["tolerance"], proof["passed"]) == (14, 0, 1e-3, True)
    text = found.files[0].read_text(encoding="utf-8")
    assert "default-src 'none'" in text
    assert not re.findall(r"""(?:src|href)=["'](?!data:)""", text)
    assert not re.findall(r"^(?:import|export)\b", text, re.MULTILINE)
    facts = json.loads(re.search(r'<script id="facts"[^>]*>(.*?)</script>', text)[1])
    assert (facts["title"], facts["names"], facts["size"]) == ("resnet18", ["cat", "dog", "owl"], [16, 12])
    assert list(facts["selfTest"]["answers"]) == ["label", "confidence", "probabilities"]
    assert sum(facts["selfTest"]["answers"]["probabilities"]) == pytest.approx(1)


@pytest.mark.usefixtures("traced")
def test_the_names_of_classes_cannot_end_their_script(shipped):
    names = ("</script><script>alert(1)</script>", "b", "c")
    source = Source(shipped.source.model, shipped.source.config.model_copy(update={"classes": names}), "", {})
    graph, proof = proven_graph(source, expected_answers(source, image_contents(shipped.files)))
    text = html(facts(source, graph, proof), graph)
    assert "alert" in text
    assert text.count("<script") == text.count("</script>") == 4
    assert "<script>" not in text


def test_weights_have_16_bits_and_small_tensors_32(traced):
    graph = page_graph(traced, "float16", "resnet18")
    types = {entry["name"]: entry["type"] for entry in graph.content["weights"]}
    assert set(types.values()) == {"float16", "float32"}
    original = {one.name: numpy_helper.to_array(one) for one in traced.model.graph.initializer}
    for entry in graph.content["weights"]:
        values = original[entry["name"]]
        assert entry["type"] == ("float32" if values.size < 64 else "float16")
        stored = np.frombuffer(graph.weights, entry["type"], values.size, entry["offset"]).reshape(entry["shape"])
        assert np.allclose(stored, values, rtol=1e-3, atol=1e-7)


def test_the_stages_are_named_and_the_scores_are_those_before_the_softmax(traced):
    graph = page_graph(traced, "float16", "resnet18")
    assert [label for label, _ in graph.stages] == ["stem", "stage 1", "stage 2"]
    (softmax,) = [node for node in traced.model.graph.node if node.op_type == "Softmax"]
    assert graph.scores == softmax.input[0]
    values = {node.output[0] for node in traced.model.graph.node}
    assert {value for _, value in graph.stages} <= values


def test_weights_that_16_bits_cannot_hold_have_32(shipped, traced):
    first, second = next(
        (node, after)
        for node in traced.model.graph.node if node.op_type == "Conv"
        for relu in consumers(traced, node.output[0]) if relu.op_type == "Relu"
        for after in consumers(traced, relu.output[0])
        if after.op_type == "Conv" and len(consumers(traced, relu.output[0])) == 1
    )  # fmt: skip
    for name in first.input[1:]:
        scale(traced, name, 1e7)
    scale(traced, second.input[1], 1e-7)
    graph, proof = proven_graph(shipped.source, expected_answers(shipped.source, image_contents(shipped.files)))
    assert {entry["type"] for entry in graph.content["weights"]} == {"float32"}
    assert proof.passed


def test_a_page_of_other_weights_is_refused(shipped, traced):
    scale(traced, "network.model.head.fc.weight", -1)
    examples = expected_answers(shipped.source, image_contents(shipped.files))
    with pytest.raises(ProofError) as caught:
        proven_graph(shipped.source, examples)
    expected = (
        r"export resnet18: the page does not give the run's answers: \d of 6 images have the same answer, "
        r"largest difference \d\.\de[+-]\d\d, more than 1e-03; nothing was written"
    )
    assert re.fullmatch(expected, str(caught.value))


def test_an_operator_that_the_page_lacks_is_named(traced):
    traced.model.graph.node[0].op_type = "LRN"
    with pytest.raises(ConfigError) as caught:
        page_graph(traced, "float16", "alexnet")
    assert str(caught.value) == (
        "export --to page: the network alexnet needs LRN, which the page cannot compute; export it with --to onnx, or "
        "train another network"
    )


def test_large_networks_and_inputs_that_browsers_cannot_read_are_refused(shipped):
    config = shipped.source.config.model_copy(update={"num_parameters": 11_000_000})
    with pytest.raises(ConfigError) as caught:
        check_size(Source(shipped.source.model, config, "", {}))
    assert str(caught.value) == (
        "export --to page: the network resnet18 has 11,000,000 parameters, more than the 6,000,000 of a page; train a "
        "narrower network, or export it with --to onnx"
    )
    preprocessing = shipped.source.config.preprocessing.model_copy(
        update={"channels": 4, "mean": (0.5,) * 4, "std": (0.5,) * 4}
    )
    config = shipped.source.config.model_copy(update={"preprocessing": preprocessing})
    with pytest.raises(ConfigError) as caught:
        check_size(Source(shipped.source.model, config, "", {}))
    assert str(caught.value) == (
        "export --to page: the network takes images of 4 channels, and browsers read 1 or 3; export it with --to onnx"
    )


def test_the_self_tests_pattern_is_the_formula_of_the_page():
    found = pattern(3)
    assert found.shape == (61, 85, 3)
    assert found[5, 9, 2] == (7 * 9 + 13 * 5 + 50 * 2 + (45 >> 3)) & 255
