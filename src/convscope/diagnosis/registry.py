"""The checks by name: causes before their consequences. A new check is one function in one file and one line here."""

from collections.abc import Callable

from convscope.diagnosis.data.blank_images import blank_images
from convscope.diagnosis.data.copies_with_different_labels import copies_with_different_labels
from convscope.diagnosis.data.few_images_to_evaluate import few_images_to_evaluate
from convscope.diagnosis.data.imbalance import imbalance
from convscope.diagnosis.data.leaks import leaks
from convscope.diagnosis.data.likely_wrong_labels import likely_wrong_labels
from convscope.diagnosis.data.shortcuts import shortcuts
from convscope.diagnosis.data.similar_class_names import similar_class_names
from convscope.diagnosis.data.view import DataView
from convscope.diagnosis.finding import Finding
from convscope.diagnosis.learning.activation_after_logits import activation_after_logits
from convscope.diagnosis.learning.batches_too_small import batches_too_small
from convscope.diagnosis.learning.classes_never_predicted import classes_never_predicted
from convscope.diagnosis.learning.dead_units import dead_units
from convscope.diagnosis.learning.diverging_loss import diverging_loss
from convscope.diagnosis.learning.exploding_gradients import exploding_gradients
from convscope.diagnosis.learning.few_steps import few_steps
from convscope.diagnosis.learning.high_initial_loss import high_initial_loss
from convscope.diagnosis.learning.identical_units import identical_units
from convscope.diagnosis.learning.inputs_not_normalised import inputs_not_normalised
from convscope.diagnosis.learning.loss_at_chance import loss_at_chance
from convscope.diagnosis.learning.loss_not_finite import loss_not_finite
from convscope.diagnosis.learning.loss_rising import loss_rising
from convscope.diagnosis.learning.overfitting import overfitting
from convscope.diagnosis.learning.small_updates import small_updates
from convscope.diagnosis.learning.still_improving import still_improving
from convscope.diagnosis.learning.strong_weight_decay import strong_weight_decay
from convscope.diagnosis.learning.underfitting import underfitting
from convscope.diagnosis.learning.vanishing_gradients import vanishing_gradients
from convscope.diagnosis.mistakes.calibration import calibration
from convscope.diagnosis.mistakes.slices import slices
from convscope.diagnosis.mistakes.two_way_confusions import two_way_confusions
from convscope.diagnosis.mistakes.view import MistakeView
from convscope.runs.training_records import RunRecords

DataCheck = Callable[[DataView], Finding | None]
LearningCheck = Callable[[RunRecords], Finding | None]
MistakeCheck = Callable[[MistakeView], Finding | None]

DATA_CHECKS: dict[str, DataCheck] = {
    "leaks": leaks,
    "copies_with_different_labels": copies_with_different_labels,
    "shortcuts": shortcuts,
    "likely_wrong_labels": likely_wrong_labels,
    "similar_class_names": similar_class_names,
    "blank_images": blank_images,
    "imbalance": imbalance,
    "few_images_to_evaluate": few_images_to_evaluate,
}
LEARNING_CHECKS: dict[str, LearningCheck] = {
    "loss_not_finite": loss_not_finite,
    "identical_units": identical_units,
    "high_initial_loss": high_initial_loss,
    "diverging_loss": diverging_loss,
    "strong_weight_decay": strong_weight_decay,
    "activation_after_logits": activation_after_logits,
    "vanishing_gradients": vanishing_gradients,
    "exploding_gradients": exploding_gradients,
    "dead_units": dead_units,
    "small_updates": small_updates,
    "inputs_not_normalised": inputs_not_normalised,
    "batches_too_small": batches_too_small,
    "few_steps": few_steps,
    "loss_at_chance": loss_at_chance,
    "loss_rising": loss_rising,
    "classes_never_predicted": classes_never_predicted,
    "overfitting": overfitting,
    "underfitting": underfitting,
    "still_improving": still_improving,
}
MISTAKE_CHECKS: dict[str, MistakeCheck] = {
    "slices": slices,
    "two_way_confusions": two_way_confusions,
    "calibration": calibration,
}
NOT_LEARNED = {"loss_at_chance", "classes_never_predicted", "underfitting"}
IN_LAYERS = {"vanishing_gradients", "exploding_gradients", "dead_units", "small_updates"}
EXPLAINS: dict[str, set[str]] = {
    "loss_not_finite": {"diverging_loss", "loss_rising", *IN_LAYERS, *NOT_LEARNED},
    "identical_units": {"dead_units", "vanishing_gradients", *NOT_LEARNED},
    "high_initial_loss": {"diverging_loss", "loss_rising", *IN_LAYERS, *NOT_LEARNED},
    "diverging_loss": {"loss_rising", *IN_LAYERS, *NOT_LEARNED},
    "strong_weight_decay": {"identical_units", "loss_rising", *IN_LAYERS, *NOT_LEARNED},
    "activation_after_logits": {"dead_units", *NOT_LEARNED},
    "vanishing_gradients": {"small_updates", *NOT_LEARNED},
    "dead_units": {"small_updates", *NOT_LEARNED},
    "small_updates": NOT_LEARNED,
    "batches_too_small": {"classes_never_predicted", "underfitting"},
    "few_steps": NOT_LEARNED,
    "loss_at_chance": {"classes_never_predicted", "underfitting"},
    "loss_rising": {"underfitting"},
}
"""The findings that follow from another and are omitted beside it."""
WHILE_TRAINING = (
    "identical_units",
    "high_initial_loss",
    "diverging_loss",
    "strong_weight_decay",
    "activation_after_logits",
    "vanishing_gradients",
    "exploding_gradients",
    "dead_units",
    "small_updates",
    "inputs_not_normalised",
    "batches_too_small",
    "loss_at_chance",
    "loss_rising",
)
"""The checks whose findings are printed while a network trains; the others need the whole curve."""
