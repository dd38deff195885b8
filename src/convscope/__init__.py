"""convscope: from a folder of images to a convolutional network that you understand and can ship.

>>> import convscope as cs
>>> run = cs.train("digits", epochs=3)     # doctest: +SKIP
>>> run.evaluate("test")["accuracy"]       # doctest: +SKIP
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from convscope.api import InputInfo, Run, evaluate, inspect, predict, train, training, wrap_module
    from convscope.errors import ConvscopeError

_HOMES = {
    "ConvscopeError": "convscope.errors",
    **dict.fromkeys(
        ("InputInfo", "Run", "evaluate", "inspect", "predict", "train", "training", "wrap_module"), "convscope.api"
    ),
}

__all__ = ["ConvscopeError", "InputInfo", "Run", "evaluate", "inspect", "predict", "train", "training", "wrap_module"]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for: ``convscope --help`` needs no PyTorch (PEP 562)."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'convscope' has no attribute {name!r}")


class _Verb(ModuleType):
    """A part that shares its name with a verb: ``cs.train("photos")`` trains, ``cs.train.State`` is the loop's."""

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        name = self.__name__.rpartition(".")[2]
        return getattr(import_module(_HOMES[name]), name)(*arguments, **named)


class _Package(ModuleType):
    """The package, which Python gives each part as an attribute once that is imported, hiding the verb."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _HOMES and isinstance(value, ModuleType):
            value.__class__ = _Verb
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
