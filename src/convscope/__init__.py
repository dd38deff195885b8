"""convscope: from a folder of images to a convolutional network that you understand and can ship.

>>> import convscope as cs
>>> run = cs.train("digits", epochs=3)     # doctest: +SKIP
>>> run.evaluate("test")["accuracy"]       # doctest: +SKIP
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from convscope.api import (
        InputInfo,
        Run,
        arithmetic,
        augment,
        baselines,
        compare,
        convolve,
        crop,
        data,
        diagnose,
        doctor,
        evaluate,
        explain,
        export,
        features,
        inspect,
        learn,
        predict,
        report,
        results,
        resume,
        robustness,
        train,
        tune,
        wrap_module,
    )
    from convscope.errors import ConvscopeError

__all__ = [
    "ConvscopeError",
    "InputInfo",
    "Run",
    "arithmetic",
    "augment",
    "baselines",
    "compare",
    "convolve",
    "crop",
    "data",
    "diagnose",
    "doctor",
    "evaluate",
    "explain",
    "export",
    "features",
    "inspect",
    "learn",
    "predict",
    "report",
    "results",
    "resume",
    "robustness",
    "train",
    "tune",
    "wrap_module",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: ``import convscope`` loads no PyTorch (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module 'convscope' has no attribute {name!r}")
    home = "convscope.errors" if name == "ConvscopeError" else "convscope.api"
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    """List only the public names."""
    return sorted(__all__)
