"""Batch settings of a recipe."""

import torch

from convscope.datasets import BatchSettings
from convscope.runs.loaders import PreparedData
from convscope.runs.recipe import Recipe


def batch_settings(prepared: PreparedData, recipe: Recipe, device: torch.device, training: bool) -> BatchSettings:
    """Return the batch settings: augmented and shuffled for training, otherwise neither.

    Args:
        prepared: the images, with their normalisation.
        recipe: the settings of the run.
        device: where the batches are placed.
        training: whether the batches are for training or for evaluation.
    """
    return BatchSettings(
        batch=recipe.train.batch if training else max(recipe.train.batch, 128),
        mean=prepared.preprocessing.mean,
        std=prepared.preprocessing.std,
        policy=recipe.augment.chosen(prepared.dataset.input_kind) if training else "none",
        mirror=recipe.augment.mirror,
        input_kind=prepared.dataset.input_kind,
        target_kind=prepared.dataset.target_kind,
        mix=recipe.augment.mix if training else "none",
        mix_alpha=recipe.augment.mix_alpha,
        num_classes=len(prepared.dataset.classes),
        shuffle=training,
        balanced=training and recipe.train.balanced_batches,
        seed=recipe.seed,
        device=str(device),
    )
