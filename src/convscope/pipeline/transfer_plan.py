"""What becomes of trained weights: the plan that suits the data, its table, the proof of what stood still."""

import hashlib
import json
import shutil
from dataclasses import asdict
from typing import Any

import numpy as np
from torch import nn

from convscope.bundle import load_config
from convscope.bundle.bundle import WEIGHTS, read_weights
from convscope.errors import ConfigError
from convscope.files import plain, write_whole
from convscope.pipeline.defaults import augmentation_for
from convscope.pipeline.session import Trainee
from convscope.report.transfer_summary import transfer_sentences
from convscope.runs.events import Adopted, PlanRow
from convscope.runs.folder import RunFolder
from convscope.runs.loaders import Prepared
from convscope.runs.overrides import Said, nested, over
from convscope.runs.pretrained import Origin, find_origin
from convscope.runs.recipe import Recipe, TransferSettings
from convscope.training import Note, digest, digests, weighted

FEW = 500  # training images per class up to which the encoder stays as it is; see docs/recipes.md
MANY = 1000  # from here on several fully connected layers are new
EPOCHS = 20
SCRATCH = TransferSettings()
FULLY_CONNECTED = 3  # replaced where there are many images; heads with fewer layers get all of them new


def images_per_class(prepared: Prepared) -> float:
    """The median number of training images of a class; of a task without classes, all of them."""
    rows = np.zeros(len(prepared.dataset), bool)
    rows[prepared.rows("train")] = True
    counts = prepared.dataset.counts(rows)
    return float(np.median(counts[counts > 0])) if (counts > 0).any() else float(rows.sum())


def plan_for(per_class: float, layers: int, epochs: int = EPOCHS) -> tuple[dict[str, Any], str]:
    """The settings of ``[transfer]`` for so many images of a class, and why.

    Args:
        per_class: training images.
        layers: with weights, in the network's head.
        epochs: of training.
    """
    told = f"{per_class:,.0f} training images of a class"
    if per_class < FEW:
        return {"replace_fc": 1}, f"{told}, fewer than {FEW}: the last layer only is new, and the rest stays as it is"
    settings: dict[str, Any] = {"replace_fc": 1, "unfreeze_at": epochs // 2 + 1 if epochs > 1 else 0}
    if per_class < MANY:
        return settings, f"{told}, fewer than {MANY:,}: the last layer only is new, then the encoder learns too"
    settings["replace_fc"] = min(FULLY_CONNECTED, layers)
    return settings, f"{told}, {MANY:,} or more: the fully connected layers are new, then the encoder learns too"


def refuse_misfits(recipe: TransferSettings, said: Said) -> None:
    """Say early which settings of a plan cannot be.

    Raises:
        ConfigError: there is a plan without trained weights, or the encoder is to be unfrozen after the end.
    """
    changed = [name for name in said.get("transfer", {}) if getattr(recipe, name) != getattr(SCRATCH, name)]
    if changed and not recipe.weights:
        raise ConfigError(
            f"transfer.{changed[0]} is set, but the network begins from scratch; name trained weights with --from"
        )
    epochs = epochs_of(said)
    if recipe.unfreeze_at > epochs:
        raise ConfigError(
            f"transfer.unfreeze_at is {recipe.unfreeze_at}, but training has {epochs} epochs; "
            f"give 1 to {epochs}, or 0 for never"
        )


def begun_from(settings: TransferSettings, said: Said) -> Origin | None:
    """The weights that a recipe names, or None where it names none."""
    return find_origin(settings.weights, said.get("model", {}).get("name")) if settings.weights else None


def epochs_of(said: Said) -> int:
    """The epochs that the user wants, or the usual number with trained weights."""
    asked = said.get("train", {}).get("epochs", EPOCHS)
    return asked if isinstance(asked, int) else EPOCHS


def with_plan(said: Said, prepared: Prepared, seen: Recipe, model: nn.Module) -> tuple[dict[str, Any], str]:
    """The user's settings over those that suit the data and trained weights, and why the plan is what it is."""
    layers = sum(1 for _ in weighted("head", model.get_submodule("head")))
    chosen, why = plan_for(images_per_class(prepared), layers, epochs_of(said))
    asked = {name: value for name, value in said.get("transfer", {}).items() if name not in ("weights", "views")}
    if asked:
        why += f"; asked for: {', '.join(f'{name} {value}' for name, value in asked.items())}"
    below = over(over({"transfer": chosen}, defaults_with_weights(prepared)), nested(seen.kind.settings_wanted))
    return over(below, said), why


def defaults_with_weights(prepared: Prepared) -> dict[str, Any]:
    """Batch, epochs, optimiser and augmentation of a network that begins with trained weights."""
    images = len(prepared.rows("train"))
    batch = int(np.clip(2 ** round(np.log2(max(images, 1) / 20)), 16, 64))
    return {
        "augment": augmentation_for(
            prepared.dataset.kind, prepared.store.pixels, prepared.place[prepared.rows("train")]
        ),
        "train": {"epochs": EPOCHS, "batch": batch},
        "optimiser": {"name": "adamw", "learning_rate": 0.001, "weight_decay": 0.01},
    }


def adopted(trainee: Trainee, why: str) -> Adopted:
    """The plan as a table, and whose weights they are."""
    assert trainee.legs is not None  # there is a plan
    rate, epochs, rows = trainee.recipe.optimiser.rate, trainee.recipe.train.epochs, []
    for row in trainee.legs.plan.rows:
        if row.weights:
            late = row.learns_from is None or row.learns_from > epochs
            until = None if late else (row.learns_from or 1) - 1
            rows.append(PlanRow(row.part, row.weights, until, None if late else rate * row.share))
    origin = trainee.config.origin
    return Adopted(trainee.config.architecture.name, origin["source"], origin["licence"], why, tuple(rows))


def write_adopted(folder: RunFolder, trainee: Trainee, why: str) -> None:
    """Begin ``transfer.json``: the plan, and where the weights are from."""
    content = {"why": why, "origin": trainee.config.origin, "plan": asdict(adopted(trainee, why))["rows"]}
    write_whole(folder.transfer_file, json.dumps(plain(content), indent=1).encode())


def settle(folder: RunFolder, trainee: Trainee) -> list[Note]:
    """Choose the answer, prove what stood still, and complete ``transfer.json``; return what the user should know."""
    legs, watch, state = trainee.legs, trainee.watch, trainee.state
    if legs is None or watch is None or not legs.done:
        return []
    if legs.done[-1].identical is None:  # a run that was killed after its last epoch
        legs.end(state.model)
    if folder.frozen.exists():
        if trainee.kept_epoch == watch.frozen_epoch != load_config(folder.model).epoch:
            for file in folder.frozen.iterdir():
                write_whole(folder.model / file.name, file.read_bytes())
        shutil.rmtree(folder.frozen)
    content = json.loads(folder.transfer_file.read_text(encoding="utf-8"))
    content |= {
        "legs": [asdict(leg) | {"saved": leg.saved} for leg in legs.done],
        "frozen_epoch": watch.frozen_epoch,
        "frozen_score": watch.frozen,
        "last_score": watch.last,
        "kept_epoch": trainee.kept_epoch,
        "proof": proof(folder, trainee),
    }
    write_whole(folder.transfer_file, json.dumps(plain(content), indent=1).encode())
    told = transfer_sentences(content, trainee.task.told)
    return [Note(state.epoch, state.step, sentence) for sentence in told]


def proof(folder: RunFolder, trainee: Trainee) -> dict[str, Any]:
    """What stood still, in the file that is the run's answer, compared with what it was in the beginning."""
    assert trainee.legs is not None
    legs, saved = trainee.legs, read_weights(folder.model / WEIGHTS)
    names = list(digests(trainee.state.model, legs.plan, max(1, trainee.kept_epoch)))
    changed = [name for name in names if digest(saved[name]) != legs.before[name]]
    whole = hashlib.blake2b("".join(legs.before[name] for name in names).encode(), digest_size=16).hexdigest()
    weights = sum(saved[name].numel() for name in names if name in dict(trainee.state.model.named_parameters()))
    return {"tensors": len(names), "weights": weights, "changed": changed, "digest": whole if names else ""}
