"""The checks of the learning find what is planted in a run's records, and nothing in healthy ones."""

import math

import numpy as np
import pytest

from convscope.diagnosis.learning_group import check_records
from convscope.diagnosis.registry import EXPLAINS, LEARNING_CHECKS, WHILE_TRAINING
from convscope.models import MODELS
from convscope.runs.recipe import Recipe
from convscope.runs.training_records import module_types
from helpers.run_records import FALLING, epochs, layer, measured, records

CHANCE = math.log(10)


def kinds(**changes):
    return [finding.kind for finding in check_records(records(**changes))]


def only(kind, **changes):
    finding = LEARNING_CHECKS[kind](records(**changes))
    assert finding is not None
    assert finding.kind == kind
    return finding


def recipe(**sections):
    return Recipe.model_validate(sections)


def test_healthy_records_have_no_findings():
    assert kinds() == []


def test_every_check_takes_the_records_of_a_run_that_has_just_begun():
    assert kinds(epochs=(), layers=(), modules=(), confusion=None, finished=False) == []


def test_what_is_printed_while_training_and_what_is_explained_are_checks():
    assert set(WHILE_TRAINING) <= set(LEARNING_CHECKS)
    assert set(EXPLAINS) | set().union(*EXPLAINS.values()) <= set(LEARNING_CHECKS)


def test_layers_of_zeros_are_named_and_explain_their_dead_units():
    zero = [layer(f"conv{i}", identical=True, weight_norm=0.0, gradient_norm=0.0) for i in range(3)]
    dead = layer("act", layer_type="ReLU", dead=1.0, gradient_norm=None, weight_norm=None)
    found = check_records(records(layers=[measured(*zero, dead)]))
    assert [finding.kind for finding in found] == ["identical_units"]
    assert found[0].message == (
        "3 of 3 layers have units with identical weights, all zero, which training cannot separate"
    )  # fmt: skip
    assert found[0].where == "layers conv0, conv1, conv2"
    assert found[0].change.settings == {"model.init": "auto"}


def test_a_last_layer_of_zeros_is_an_initialisation_in_the_first_epoch_only():
    layers = [measured(layer("conv"), layer("head", identical=True))]
    assert kinds(layers=layers, epochs=epochs([2.0], [2.0]), finished=False) == []
    assert only("identical_units", layers=layers).where == "layer head"


def test_gradients_that_vanish_with_depth_are_found_with_the_activation_to_replace():
    norms = [10.0 ** (i - 9) for i in range(9)]
    finding = only(
        "vanishing_gradients",
        layers=[measured(*(layer(f"conv{i}", gradient_norm=norm) for i, norm in enumerate(norms)))],
        modules=(("a", "Sigmoid"), ("b", "Sigmoid"), ("head", "Linear")),
    )
    assert finding.where == "layers conv0 to conv2"
    assert finding.message == (
        "the gradient of the first 3 layers is 1e-06 times that of the last 3, so that they hardly learn"
    )
    assert finding.change.text == "replace the 2 Sigmoid activations by relu: --set model.options.activation=relu"
    assert finding.series["gradient_norm"] == tuple(norms)


def test_gradients_that_fall_a_thousandfold_do_not_vanish():
    norms = [1e-4, 1e-3, 1e-2, 1e-2, 0.1, 0.1]
    assert kinds(layers=[measured(*(layer(f"c{i}", gradient_norm=norm) for i, norm in enumerate(norms)))]) == []


def test_outputs_that_explode_with_depth_are_found_with_the_layer():
    layers = [layer(f"conv{i}", variance=100.0**i) for i in range(6)]
    finding = only("exploding_gradients", layers=[measured(*layers)])
    assert finding.where == "layer conv5"
    assert finding.figure == pytest.approx(1e5)


def test_dead_units_are_found_with_the_layer_and_a_lower_rate():
    acts = [layer(f"act{i}", layer_type="ReLU", dead=share, gradient_norm=None) for i, share in enumerate([0.1, 0.9])]
    finding = only("dead_units", layers=[measured(*acts)], recipe=recipe(optimiser={"learning_rate": 0.5}))
    assert finding.where == "layer act1"
    assert finding.message == "90 % of the units of act1 (ReLU) are 0 for every image"
    assert finding.change.settings == {"optimiser.learning_rate": 0.05}


def test_a_training_that_failed_is_found_with_its_place():
    finding = only("loss_not_finite", failure="epoch 1, step 3: the loss is nan at learning rate 10; lower it")
    assert (finding.where, finding.message) == ("epoch 1, step 3", "the loss is nan at learning rate 10")


def test_a_validation_loss_that_is_not_finite_is_found():
    assert only("loss_not_finite", epochs=epochs([2.0, 1.9], [2.0, math.inf])).where == "epoch 2"


def test_a_loss_at_chance_is_found_after_three_epochs_and_not_before():
    flat = np.full((10, 10), 2)
    assert kinds(epochs=epochs([CHANCE] * 2, [CHANCE] * 2), finished=False, confusion=flat) == []
    finding = only("loss_at_chance", epochs=epochs([CHANCE] * 3, [CHANCE] * 3), finished=False, confusion=flat)
    assert finding.message == (
        "after 3 epochs the training loss is 2.303, and predicting the frequencies of the classes gives 2.303: "
        "nothing is learned"
    )


def test_the_chance_loss_is_the_entropy_of_the_frequencies():
    assert records(class_counts=np.array([1, 1])).chance_loss == pytest.approx(math.log(2))
    assert records(class_counts=np.array([9, 1])).chance_loss == pytest.approx(0.325083)


def test_the_least_loss_is_that_of_label_smoothing():
    """0.91 and nine times 0.01, by hand."""
    smooth = records(recipe=recipe(loss={"label_smoothing": 0.1, "class_weights": "none"}))
    assert smooth.least_loss == pytest.approx(-0.91 * math.log(0.91) - 0.09 * math.log(0.01))
    assert records().least_loss == 0.0


def test_a_loss_that_rises_is_found():
    finding = only("loss_rising", epochs=epochs([1.5, 1.2, 1.6, 1.9, 2.0], [2.0] * 5))
    assert finding.message == "the training loss rises from 1.200 in epoch 2 to 2.000 in epoch 5"


def test_one_bad_epoch_is_not_a_rising_loss():
    assert "loss_rising" not in kinds(epochs=epochs([2.0, 1.5, 1.2, 1.0, 1.4], [2.0, 1.6, 1.3, 1.2, 1.1]))


def test_a_gap_between_the_losses_is_overfitting_though_the_validation_loss_stays_level():
    train = [2.3, 1.7, 1.1, 0.7, 0.6, 0.55, 0.52, 0.51]
    finding = only(
        "overfitting",
        epochs=epochs(train, [2.3] * 8, [0.2] * 8),
        recipe=recipe(loss={"label_smoothing": 0.1, "class_weights": "none"}, augment={"policy": "none"}),
    )
    assert finding.where == "from epoch 2"
    assert finding.message == (
        "the network overfits: the training loss ends at 0.510, where 0.500 is perfect, and the validation loss at "
        "2.300, where 2.303 is chance"
    )
    assert finding.change.settings == {"augment.policy": "light"}


def test_a_score_that_falls_is_overfitting():
    """As 50 images of CIFAR-10, whose accuracy fell from 47 to 27 %."""
    train = [2.0 - 0.1 * i for i in range(10)]
    scores = [0.3, 0.4, 0.47, 0.47, 0.47, 0.4, 0.35, 0.3, 0.27, 0.27]
    finding = only("overfitting", epochs=epochs(train, [1.9] * 10, scores), confusion=np.diag([100] * 10))
    assert finding.where == "from epoch 5"
    assert finding.message == (
        "the network overfits: the validation accuracy falls from 47.00 % around epoch 4 to 28.00 % while the training "
        "loss falls"
    )


def test_scores_that_vary_by_chance_are_not_overfitting():
    scores = [0.5, 0.56, 0.48, 0.55, 0.5, 0.52, 0.47, 0.5]
    train = [1.5 - 0.05 * i for i in range(8)]
    assert LEARNING_CHECKS["overfitting"](records(epochs=epochs(train, [1.4] * 8, scores))) is None


def test_classes_that_are_never_predicted_are_named():
    confusion = np.diag([20] * 10)
    confusion[3] = 0
    confusion[3, 4] = 20
    finding = only("classes_never_predicted", confusion=confusion)
    assert finding.where == "class d"
    assert finding.message == (
        "this class is never predicted: 20 validation images are taken mostly for e"
    )  # fmt: skip


def test_rare_classes_that_are_never_predicted_are_weighted():
    confusion = np.diag([20] * 10)
    confusion[3] = 0
    confusion[3, 4] = 20
    counts = np.array([100, 100, 100, 5, 100, 100, 100, 100, 100, 100])
    assert only("classes_never_predicted", confusion=confusion, class_counts=counts).change.settings == {
        "loss.class_weights": "balanced"
    }


def test_a_class_that_is_not_predicted_says_nothing_of_a_network_that_has_hardly_learned():
    confusion = np.diag([20] * 10)
    confusion[3] = 0
    confusion[3, 4] = 20
    losses = [2.2, 2.0, 1.8, 1.6, 1.5, 1.4]
    assert kinds(confusion=confusion, epochs=epochs(losses, losses)) == ["still_improving"]
    rare = np.array([100, 100, 100, 5, 100, 100, 100, 100, 100, 100])
    assert "classes_never_predicted" in kinds(confusion=confusion, epochs=epochs(losses, losses), class_counts=rare)


def test_a_first_loss_far_above_chance_is_the_initialisation_and_explains_what_follows():
    losses = [40.0, 20.0, 3.0, 2.3, 2.3, 2.3]
    found = check_records(records(first_loss=69.0, epochs=epochs(losses, losses)))
    assert [finding.kind for finding in found] == ["high_initial_loss"]
    assert found[0].message == (
        "the loss of the first step is 69, 30 times that of predicting the frequencies of the classes (2.3): the "
        "weights are too large at the start"
    )
    assert kinds(first_loss=4.0) == []


def test_a_loss_that_diverges_is_the_rate_and_not_the_initialisation():
    losses = [1e5, 1e9, 1e12, 1e12, 1e12, 1e12]
    found = check_records(
        records(first_loss=2.3, epochs=epochs(losses, losses), recipe=recipe(optimiser={"learning_rate": 10.0}))
    )
    assert [finding.kind for finding in found] == ["diverging_loss"]
    assert found[0].change.settings == {"optimiser.learning_rate": 1.0}
    assert found[0].message == (
        "the training loss is 1e+05 in epoch 1, and predicting the frequencies of the classes gives 2.3: the steps "
        "diverge"
    )


def test_weights_that_decay_to_nothing_are_found_and_large_decay_with_weights_is_not():
    decay = recipe(optimiser={"learning_rate": 0.1, "weight_decay": 10.0})
    gone = [measured(*(layer(f"conv{i}", weight_norm=0.01) for i in range(4)))]
    finding = only("strong_weight_decay", recipe=decay, layers=gone)
    assert finding.message == (
        "weight decay 10 at learning rate 0.1 takes off 1e+02 % of the weights per step: the weights of 4 of 4 layers "
        "are near 0"
    )
    assert finding.change.settings == {"optimiser.weight_decay": 5e-4}
    assert LEARNING_CHECKS["strong_weight_decay"](records(recipe=decay)) is None


def test_steps_too_short_to_change_the_weights_are_found_with_a_higher_rate():
    """A gradient of 0.3 on weights of 3: at momentum 0.9 a step is the learning rate times 1."""
    low = recipe(optimiser={"name": "sgd", "learning_rate": 1e-7})
    layers = [measured(*(layer(f"conv{i}", gradient_norm=0.3) for i in range(4)))]
    flat = epochs([2.3] * 6, [2.3] * 6)
    found = check_records(records(recipe=low, layers=layers, epochs=flat))
    assert [finding.kind for finding in found] == ["small_updates"]
    assert found[0].message == (
        "a step changes the weights by 1e-07 of their size (a hundredth is usual), and the loss stays at 2.300: the "
        "learning rate 1e-07 is too low"
    )
    assert found[0].change.settings == {"optimiser.learning_rate": 0.01}
    assert "small_updates" not in kinds(recipe=low, layers=layers)  # it has learned: the rate has fallen to its end


def test_a_training_of_few_steps_is_told_to_go_on_and_not_that_nothing_is_learned():
    flat = [{**one, "step": 3 * one["epoch"]} for one in epochs([2.31, 2.3, 2.29, 2.29], [2.3] * 4)]
    found = check_records(records(epochs=flat, confusion=np.full((10, 10), 2)))
    assert [finding.kind for finding in found] == ["few_steps"]
    assert found[0].message == "training took 12 steps, 3 per epoch, and is still near chance (2.290 of 2.303)"
    assert found[0].change.settings == {"train.epochs": 100}


def test_inputs_that_are_not_normalised_are_found():
    finding = only("inputs_not_normalised", layers=[measured(layer("conv"), mean=120.0, std=60.0)])
    assert finding.message == "the network's inputs have mean 120 and standard deviation 60, not about 0 and 1"


@pytest.mark.parametrize("kind", ["Softmax", "Sigmoid", "ReLU"])
def test_an_activation_after_the_logits_is_found(kind):
    finding = only("activation_after_logits", modules=(("conv", "Conv2d"), ("fc", "Linear"), ("act", kind)))
    assert (finding.where, finding.change.text) == ("layer act", f"remove {kind} after the last layer")


@pytest.mark.parametrize(
    ("end", "found"), [('{linear = "classes"}, {act = "relu"}', True), ('{linear = "classes"}', False)]
)
def test_an_activation_after_the_logits_of_a_built_network_is_found(end, found):
    """A container without layers, which every network has, stands behind its last layer."""
    text = f'blocks = [{{conv = 4}}, {{act = "relu"}}, {{gap = true}}, {end}]'
    model = MODELS["assembled"](3, channels=3, text=text)
    assert ("activation_after_logits" in kinds(modules=module_types(model))) == found
    assert all(kind != "ModuleDict" for _, kind in module_types(model))


def test_batch_norm_on_small_batches_is_found_and_small_batches_alone_are_not():
    small = recipe(train={"batch": 4})
    assert only("batches_too_small", recipe=small).change.settings == {"train.batch": 32}
    assert kinds(recipe=small, modules=(("conv", "Conv2d"), ("fc", "Linear"))) == []


def test_a_training_that_was_too_short_is_found():
    train = [2.3, 2.0, 1.75, 1.5, 1.25]
    assert only("still_improving", epochs=epochs(train, train)).change.settings == {"train.epochs": 10}


def test_a_network_that_does_not_fit_its_training_images_is_found():
    losses = [2.2, 2.1, 2.05, 2.04, 2.04, 2.04]
    finding = only("underfitting", epochs=epochs(losses, losses))
    assert finding.message == (
        "after 6 epochs 89 % of the chance loss is left on the training images themselves (2.040 of 2.303)"
    )


def test_findings_are_json():
    finding = only("overfitting", epochs=epochs([*FALLING, 0.1, 0.05], [2.3] * 8))
    content = finding.to_dict()
    assert content["change"] == {
        "text": "add training images, or augment more: --set augment.policy=standard",
        "settings": {"augment.policy": "standard"},
        "files": [],
    }
    assert content["series"]["validation_loss"] == [2.3] * 8


def test_auxiliary_classifiers_are_not_the_end_of_a_network():
    model = MODELS["resnet18"](3, channels=3, size=(32, 32), width=4, auxiliary=(1,))
    assert module_types(model)[-1][1] == "Linear"
    assert not any(name.startswith("auxiliary") for name, _ in module_types(model))
