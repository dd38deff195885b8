"""The fine-tuning plan: choose it from the data, record it, and verify that frozen tensors did not change."""

import hashlib
import json
import shutil
from dataclasses import asdict
from typing import Any

import numpy as np
from torch import nn

from convscope.bundle import load_config
from convscope.bundle.bundle import WEIGHTS_FILE, read_state_dict
from convscope.errors import ConfigError
from convscope.files import atomic_write, to_plain
from convscope.pipeline.defaults import FROM_DATA, augmentation_for, task_settings
from convscope.pipeline.session import TrainingSession
from convscope.reports.transfer_summary import transfer_summary
from convscope.runs.events import PlanRow, PretrainedLoaded
from convscope.runs.folder import RunFolder
from convscope.runs.loaders import PreparedData
from convscope.runs.overrides import Overrides, lay
from convscope.runs.pretrained import PretrainedSource, find_pretrained
from convscope.runs.recipe import SCRATCH, Recipe, TransferSettings
from convscope.training import Note, digest, digests, weight_layers

FEW = 500  # training images per class below which the encoder stays frozen; see docs/benchmarks/recipes.md
MANY = 1000  # from which several fully connected layers are replaced
EPOCHS = 20
UNCHANGED = TransferSettings()
FULLY_CONNECTED = 3  # layers replaced where there are many images; at most all of the head


def images_per_class(prepared: PreparedData) -> float:
    """Return the median number of training images per class; without classes, their number."""
    rows = np.zeros(len(prepared.dataset), bool)
    rows[prepared.rows("train")] = True
    counts = prepared.dataset.counts(rows)
    return float(np.median(counts[counts > 0])) if (counts > 0).any() else float(rows.sum())


def plan_for(per_class: float, layers: int, epochs: int = EPOCHS) -> tuple[dict[str, Any], str]:
    """Choose the settings of ``[transfer]``; return them and the reason.

    Args:
        per_class: training images per class.
        layers: number of layers with parameters in the head.
        epochs: of training.
    """
    reason = f"{per_class:,.0f} training images per class"
    if per_class < FEW:
        return {
            "replace_fc": 1
        }, f"{reason}, fewer than {FEW}: only the last layer is new, and the encoder stays frozen"
    settings: dict[str, Any] = {"replace_fc": 1, "unfreeze_at": epochs // 2 + 1 if epochs > 1 else 0}
    if per_class < MANY:
        return settings, f"{reason}, fewer than {MANY:,}: only the last layer is new, then the encoder is fine-tuned"
    settings["replace_fc"] = min(FULLY_CONNECTED, layers)
    return settings, f"{reason}, {MANY:,} or more: the fully connected layers are new, then the encoder is fine-tuned"


def validate_transfer(settings: TransferSettings, overrides: Overrides) -> None:
    """Validate the plan before the data are opened.

    Raises:
        ConfigError: there are no pretrained weights, or unfreezing is set after the last epoch.
    """
    requested = [name for name in overrides.get("transfer", {}) if name != "checkpoint"]
    changed = [name for name in requested if getattr(settings, name) != getattr(UNCHANGED, name)]
    if changed and settings.checkpoint in ("", SCRATCH):
        raise ConfigError(
            f"transfer.{changed[0]} is set, but the network is trained from scratch; "
            "give pretrained weights with --from"
        )
    epochs = epochs_of(overrides)
    if settings.unfreeze_at > epochs:
        raise ConfigError(
            f"transfer.unfreeze_at is {settings.unfreeze_at}, but training has {epochs} epochs; "
            f"give 1 to {epochs}, or 0 for never"
        )


def load_pretrained(overrides: Overrides) -> PretrainedSource | None:
    """Return the pretrained weights that the settings name, or None."""
    checkpoint = overrides.get("transfer", {}).get("checkpoint")
    return find_pretrained(checkpoint, overrides.get("model", {}).get("name")) if checkpoint else None


def epochs_of(overrides: Overrides) -> int:
    """Return the number of epochs that the user set, or the default with pretrained weights."""
    requested = overrides.get("train", {}).get("epochs", EPOCHS)
    return requested if isinstance(requested, int) else EPOCHS


def plan_transfer(
    overrides: Overrides, prepared: PreparedData, draft: Recipe, model: nn.Module
) -> tuple[Overrides, str]:
    """Return default settings for fine-tuning on the data, and the reason for the plan."""
    layers = sum(1 for _ in weight_layers("head", model.get_submodule("head")))
    chosen, why = plan_for(images_per_class(prepared), layers, epochs_of(overrides))
    plan = Overrides.of({"transfer": chosen}, f"{FROM_DATA}: {why.partition(',')[0]}")
    transfer = overrides.get("transfer", {})
    requested = {name: value for name, value in transfer.items() if name not in ("checkpoint", "views", "fit_head")}
    if requested:
        why += f"; set by the user: {', '.join(f'{name} {value}' for name, value in requested.items())}"
    return lay(plan, *_defaults_with_weights(prepared), task_settings(draft.task_class)), why


def _defaults_with_weights(prepared: PreparedData) -> tuple[Overrides, ...]:
    """Return augmentation, epochs, batch size and optimiser for fine-tuning."""
    rows = prepared.rows("train")
    batch = int(np.clip(2 ** round(np.log2(max(len(rows), 1) / 20)), 16, 64))
    optimiser = {"name": "adamw", "learning_rate": 0.001, "weight_decay": 0.01}
    return (
        augmentation_for(prepared.dataset, prepared.store.pixels, prepared.store_index[rows]),
        Overrides.of({"train": {"epochs": EPOCHS}, "optimiser": optimiser}, "default with pretrained weights"),
        Overrides.of({"train": {"batch": batch}}, f"{FROM_DATA}: {len(rows):,} training images"),
    )


def transfer_event(session: TrainingSession, why: str) -> PretrainedLoaded:
    """Return the plan as a table, with the source of the weights."""
    assert session.stages is not None  # there is a plan
    rate, epochs, rows = session.recipe.optimiser.rate, session.recipe.train.epochs, []
    for row in session.stages.plan.rows:
        if row.num_parameters:
            always = row.trained_from is None or row.trained_from > epochs
            until = None if always else (row.trained_from or 1) - 1
            rows.append(PlanRow(row.part, row.num_parameters, until, None if always else rate * row.lr_factor))
    origin = session.config.origin
    return PretrainedLoaded(
        session.config.architecture.name,
        origin["source"],
        origin["licence"],
        why,
        tuple(rows),
        tuple(origin.get("notes", ())),
    )


def write_transfer_plan(folder: RunFolder, session: TrainingSession, why: str) -> None:
    """Write the first part of ``transfer.json``: the plan, and the source of the weights."""
    content = {"why": why, "origin": session.config.origin, "plan": asdict(transfer_event(session, why))["rows"]}
    atomic_write(folder.transfer_file, json.dumps(to_plain(content), indent=1).encode())


def finish_transfer(folder: RunFolder, session: TrainingSession) -> list[Note]:
    """Select the epoch, verify the frozen tensors, complete ``transfer.json``, and return the summary as notes."""
    stages, watch, state = session.stages, session.unfreezing_check, session.state
    if stages is None or watch is None or not stages.done:
        return []
    if folder.frozen_model.exists():
        if session.kept_epoch == watch.frozen_epoch != load_config(folder.model).epoch:
            for file in folder.frozen_model.iterdir():
                atomic_write(folder.model / file.name, file.read_bytes())
        shutil.rmtree(folder.frozen_model)
    content = json.loads(folder.transfer_file.read_text(encoding="utf-8"))
    content |= {
        "stages": [asdict(stage) | {"seconds_saved": stage.seconds_saved} for stage in stages.done],
        "frozen_epoch": watch.frozen_epoch,
        "frozen_score": watch.frozen,
        "last_score": watch.last,
        "kept_epoch": session.kept_epoch,
        "proof": verify_frozen(folder, session),
    }
    atomic_write(folder.transfer_file, json.dumps(to_plain(content), indent=1).encode())
    sentences = transfer_summary(content, session.task.format_score)
    return [Note(state.epoch, state.step, sentence) for sentence in sentences]


def verify_frozen(folder: RunFolder, session: TrainingSession) -> dict[str, Any]:
    """Compare the frozen tensors in the saved model with those at the start of the run."""
    assert session.stages is not None
    stages, saved = session.stages, read_state_dict(folder.model / WEIGHTS_FILE)
    names = list(digests(session.state.model, stages.plan, max(1, session.kept_epoch)))
    changed = [name for name in names if digest(saved[name]) != stages.before[name]]
    whole = hashlib.blake2b("".join(stages.before[name] for name in names).encode(), digest_size=16).hexdigest()
    count = sum(saved[name].numel() for name in names if name in dict(session.state.model.named_parameters()))
    return {"tensors": len(names), "num_parameters": count, "changed": changed, "digest": whole if names else ""}
