"""Batches too small for batch norm."""

from convscope.diagnosis.finding import Change, Finding
from convscope.runs.training_records import RunRecords

LEAST = 8  # images per batch; Wu and He 2018, figure 1: the error grows from 16 images per batch down


def batches_too_small(records: RunRecords) -> Finding | None:
    """Find batch norm on batches of a few images, whose statistics are noise (Wu and He 2018, arXiv:1803.08494)."""
    norms = [name for name, kind in records.modules if kind.startswith("BatchNorm")]
    batch = min(records.recipe.train.batch, records.recipe.step.micro_batch or records.recipe.train.batch)
    if not norms or batch >= LEAST or records.recipe.transfer.checkpoint:
        return None
    return Finding(
        "batches_too_small", 0.5, "setting train.batch",
        f"{len(norms)} batch norm layers train on batches of {batch}, whose mean and variance are noise",
        float(batch), float(LEAST), Change("--set train.batch=32", {"train.batch": 32}),
    )  # fmt: skip
