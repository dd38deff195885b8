"""Two processes against one, with the same batches."""

import numpy as np
import pytest
import torch

from helpers import shared_steps
from helpers.processes import together  # noqa: F401


def difference(found, expected):
    """The largest difference of weights and buffers."""
    return max(
        float((one - expected[0][name]).abs().max()) for name, one in found[0].items() if one.is_floating_point()
    )


def assert_trains_as_one(together, steps, most, *arguments):  # noqa: F811
    first, second = together(steps, *arguments)
    alone = steps(*arguments)
    assert all(torch.equal(first[0][name], second[0][name]) for name in first[0])
    assert first[1] == second[1]
    assert [images for images, _, _ in first[1]] == [images for images, _, _ in alone[1]]
    np.testing.assert_allclose(first[1], alone[1], atol=3e-5)
    assert difference(first, alone) <= most


@pytest.mark.slow
def test_fifty_steps_of_lenet_differ_by_rounding_only(together):  # noqa: F811
    assert_trains_as_one(together, shared_steps.fifty_of_lenet, 1e-6)


@pytest.mark.slow
def test_fifty_steps_of_a_resnet_with_batch_norm_and_dropout_differ_by_rounding_only(together):  # noqa: F811
    assert_trains_as_one(together, shared_steps.fifty_of_resnet, 1e-5)


@pytest.mark.slow
def test_fifty_steps_of_a_unet_on_masks_with_unlabelled_pixels_differ_by_rounding_only(together):  # noqa: F811
    assert_trains_as_one(together, shared_steps.fifty_of_unet, 1e-5)


@pytest.mark.parametrize("task", shared_steps.TARGETS)
def test_losses_that_are_means_over_what_is_known_are_those_of_the_whole_batch(together, task):  # noqa: F811
    assert_trains_as_one(together, shared_steps.few_steps, 2e-6, task)


def test_micro_batches_are_parts_of_the_whole_batch(together):  # noqa: F811
    assert_trains_as_one(together, shared_steps.few_steps, 2e-6, "regress", 3)


def test_outputs_are_evaluated_in_the_order_of_the_images(together):  # noqa: F811
    (scores, arrays), second = together(shared_steps.evaluated)
    alone_scores, alone = shared_steps.evaluated()
    assert scores == second[0]
    assert scores == pytest.approx(alone_scores, abs=1e-6)
    np.testing.assert_array_equal(arrays["targets"], alone["targets"])
    np.testing.assert_allclose(arrays["logits"], alone["logits"], atol=1e-6)


def test_batch_norm_can_have_the_statistics_of_each_process(together):  # noqa: F811
    (output, mean), second = together(shared_steps.with_statistics_per_process)
    assert torch.equal(output, second[0])
    assert output.flatten().tolist() == pytest.approx([-1, -1, 1, 1], abs=1e-4)  # rows 0 and 2, rows 1 and 3
    assert mean.tolist() == pytest.approx([0.15])  # a tenth of the mean of 1 and 2
    assert torch.equal(mean, second[1])


def test_the_first_process_decides(together):  # noqa: F811
    for text, tensor, alike in together(shared_steps.sent_by_the_first):
        assert text == "from 0"
        assert tensor.tolist() == [0.0]
        assert alike == (True, False)
