"""The result of one check of the installation."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Check:
    """What one check of the installation found.

    Attributes:
        name: what was checked, such as ``Python`` or ``extra onnx``.
        state: "ok"; "missing" for what is optional and absent; "problem" for what keeps a command from working.
        found: the version, the device, or what is wrong, in words.
        remedy: what to do, usually a command; empty if nothing.
    """

    name: str
    state: Literal["ok", "missing", "problem"]
    found: str
    remedy: str = ""
