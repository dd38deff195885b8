"""Seeding, random states and deterministic kernels."""

import os
import random
import warnings
from typing import Any

import numpy as np
import torch


def seed_everything(seed: int) -> None:
    """Seed every random number generator of a run: Python's, NumPy's, and torch's on every device."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def deterministic(wanted: bool = True) -> None:
    """Make torch choose deterministic kernels; on a GPU they may be slower.

    On a GPU, the gradients of some operations (max pooling, the cross-entropy of masks, resizing) have no such kernel,
    so that runs there differ in the last bits; PyTorch's warning about each is hidden. On a CPU the results also depend
    on the number of threads. Uninitialised memory is not filled, unlike torch's default, which costs 2 % of a step.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS reads it when it first starts
    # like use_deterministic_algorithms, which would also import PyTorch's compiler; `compile` sets its flag when needed
    warnings.filterwarnings("ignore", message=".* does not have a deterministic implementation")
    torch.set_deterministic_debug_mode("warn" if wanted else "default")
    torch.utils.deterministic.fill_uninitialized_memory = not wanted  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = not wanted


def random_states() -> dict[str, Any]:
    """Return the state of every generator as tensors and numbers only, so that a checkpoint is safe to load."""
    version, words, gauss = random.getstate()
    kind, keys, position, has_gauss, cached = np.random.get_state(legacy=True)
    return {
        "python": {"version": version, "words": torch.tensor(words), "gauss": gauss},
        "numpy": {
            "kind": str(kind),
            "keys": torch.from_numpy(np.asarray(keys).astype(np.int64)),
            "position": int(position),
            "has_gauss": int(has_gauss),
            "cached": float(cached),
        },
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def set_random_states(states: dict[str, Any]) -> None:
    """Restore the state of every generator from `random_states`; GPUs that no longer exist are skipped."""
    python, numpy = states["python"], states["numpy"]
    random.setstate((python["version"], tuple(python["words"].tolist()), python["gauss"]))
    keys = numpy["keys"].numpy().astype(np.uint32)
    np.random.set_state((numpy["kind"], keys, numpy["position"], numpy["has_gauss"], numpy["cached"]))
    torch.set_rng_state(states["torch"].cpu())
    for device, state in zip(range(torch.cuda.device_count()), states["cuda"], strict=False):
        torch.cuda.set_rng_state(state.cpu(), device)
