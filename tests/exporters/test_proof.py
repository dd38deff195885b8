"""The proof passes for a right export and refuses six wrong ones."""

import re

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

from convscope.exporters.examples import image_contents
from convscope.exporters.network import trace
from convscope.exporters.onnx_file import picture_model
from convscope.exporters.onnx_form import prove
from convscope.exporters.proof import ProofError, expected_answers


def first_weights(model):
    return next(tensor for tensor in model.graph.initializer if list(tensor.dims) == [4, 3, 3, 3])


def changed(model, change):
    tensor = first_weights(model)
    tensor.CopyFrom(numpy_helper.from_array(change(numpy_helper.to_array(tensor).copy()), tensor.name))
    return model


def refused(shipped, model):
    with pytest.raises(ProofError) as caught:
        prove(shipped.source, model, expected_answers(shipped.source, image_contents(shipped.files)))
    return str(caught.value)


def message(where, different=r"\d", difference=r"\d\.\de[+-]\d\d"):
    return (
        r"export resnet18: the ONNX model does not give the run's answers: "
        rf"{different} of 6 images have the same answer, largest difference {difference}, more than 1e-04; "
        rf"{where}; nothing was written"
    )


def test_a_right_export_is_proven_on_files_of_all_sizes(shipped):
    examples = expected_answers(shipped.source, image_contents(shipped.files))
    found = prove(shipped.source, shipped.model, examples)
    assert (found.images, found.different_answers, len(examples)) == (6, 0, 6)
    assert found.largest_difference < 1e-6
    assert found.passed
    assert str(found).startswith("6 of 6 images have the same answer, largest difference ")


def rebuilt(shipped, monkeypatch, traced, **preprocessing):
    monkeypatch.setattr("convscope.exporters.onnx_file.trace", lambda *_given: traced)
    config = shipped.source.config
    other = config.preprocessing.model_copy(update=preprocessing)
    source = type(shipped.source)(shipped.source.model, config.model_copy(update={"preprocessing": other}), "", {})
    model = picture_model(source)
    onnx.helper.set_model_props(model, {entry.key: entry.value for entry in shipped.model.metadata_props})
    return model


def test_another_mean_is_refused(shipped, monkeypatch):
    model = rebuilt(shipped, monkeypatch, shipped.traced, mean=(0.4, 0.4, 0.3))
    assert re.fullmatch(message("the first difference arises in the preprocessing"), refused(shipped, model))


def test_channels_in_the_order_blue_green_red_are_refused(shipped, copied):
    model = changed(copied, lambda weights: weights[:, ::-1])
    where = r"the first difference arises in the layer network\.model\.stem\.[a-z]+"
    assert re.fullmatch(message(where), refused(shipped, model))


def test_a_missing_softmax_is_refused(shipped, copied):
    (softmax,) = [node for node in copied.graph.node if node.op_type == "Softmax"]
    softmax.op_type = "Identity"
    del softmax.attribute[:]
    where = "the first difference arises in the answers, after the network's last layer"
    assert re.fullmatch(message(where), refused(shipped, copied))


def test_a_weight_that_is_not_a_number_is_refused(shipped, copied):
    def with_nan(weights):
        weights[0, 0, 0, 0] = np.nan
        return weights

    where = r"the first difference arises in the layer network\.model\.stem\.[a-z]+"
    assert re.fullmatch(message(where, difference="inf"), refused(shipped, changed(copied, with_nan)))


@pytest.mark.slow
def test_batch_norm_in_training_mode_is_refused(shipped, monkeypatch):
    network = shipped.source.network
    try:
        network.train()
        with torch.no_grad():
            statistics = {name: value.clone() for name, value in network.state_dict().items()}
        traced = trace(network, shipped.source.config, shipped.source.task)
    finally:
        network.load_state_dict(statistics)
        network.eval()
    model = rebuilt(shipped, monkeypatch, traced)
    where = r"the first difference arises in the layer network\.model\.[a-z0-9_.]+"
    assert re.fullmatch(message(where), refused(shipped, model))


def test_a_batch_fixed_at_one_is_refused(shipped, copied):
    copied.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    expected = r"export: the exported model fails on a batch of 6 images \(.+\); .+; nothing was written"
    assert re.fullmatch(expected, refused(shipped, copied))
