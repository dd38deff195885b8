"""Checks of packages, processor and GPU: what is found, what is missing, and what to do."""

import sys
from types import SimpleNamespace

import pytest
import torch

from convscope.installation import (
    Check,
    check_extras,
    check_gpu,
    check_processor,
    check_python,
    check_requirements,
    check_torchvision,
    hardware,
    packages,
)
from convscope.installation.packages import EXTRAS, MODULES, USERS


def test_python_is_named_with_its_interpreter(monkeypatch):
    assert check_python() == Check("Python", "ok", f"{sys.version.split()[0]} at {sys.executable}")
    monkeypatch.setattr(packages, "OLDEST_PYTHON", (4, 0))
    assert (check_python().state, check_python().remedy) == ("problem", "install Python 3.11 or newer")


def test_requirements_are_compared_with_the_versions_that_are_installed(monkeypatch):
    lines = ["numpy>=2.0", "torch>=99.1", "no-such-package[x]>=1; python_version > '3'", "pytest; extra == 'dev'"]
    monkeypatch.setattr(packages, "requires", lambda _package: lines)
    package, numpy, newer, absent = check_requirements()
    assert (package.name, numpy.name, numpy.state) == ("convscope", "numpy", "ok")
    assert newer == Check("torch", "problem", f"{torch.__version__}, older than 99.1", packages.INSTALL_TORCH)
    assert absent == Check("no-such-package", "problem", "not installed", "pip install 'no-such-package[x]>=1'")


def test_source_files_without_metadata_are_said():
    (check,) = check_requirements("no-such-package")
    assert check.found == "imported from a folder of source files; requirements not checked"


def test_a_missing_extra_is_named_with_its_use_and_its_command():
    there, absent = check_extras({"report": ("json",), "onnx": ("json", "no_such_module")})
    assert there == Check("extra report", "ok", USERS["report"])
    assert absent == Check(
        "extra onnx", "missing", "no_such_module not installed; for convscope export", "pip install 'convscope[onnx]'"
    )


def test_every_extra_says_what_it_is_for():
    assert set(EXTRAS) <= set(MODULES) == set(USERS)


def test_a_torchvision_of_another_build_is_a_problem(monkeypatch, tmp_path):
    monkeypatch.setattr(packages, "version", {"torchvision": "0.28.0", "torch": "2.13.0"}.__getitem__)
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho 'RuntimeError: operator torchvision::nms does not exist' >&2\nexit 1\n")
    python.chmod(0o755)
    assert check_torchvision(str(python)) == Check(
        "torchvision",
        "problem",
        "0.28.0 beside PyTorch 2.13.0: its import fails (RuntimeError: operator torchvision::nms does not exist)",
        "only timm needs it: install the torchvision of the same release and index as torch, or uninstall it",
    )
    python.write_text("#!/bin/sh\nexit 0\n")
    assert check_torchvision(str(python)) == Check("torchvision", "ok", "0.28.0 beside PyTorch 2.13.0")


def test_the_processor_is_described():
    assert " kernels, bfloat16 " in check_processor().found


@pytest.mark.parametrize(
    ("driver", "cuda", "found"),
    [
        (False, None, "none found; the processor is used"),
        (True, None, f"there is an NVIDIA driver, but PyTorch {torch.__version__} is built for processors only"),
        (
            True, "13.0",
            f"there is an NVIDIA driver, but PyTorch {torch.__version__}, built for CUDA 13.0, finds no device",
        ),
    ],
)  # fmt: skip
def test_a_gpu_that_pytorch_does_not_see_is_explained(driver, cuda, found, monkeypatch, tmp_path):
    monkeypatch.setattr(hardware.torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(hardware.torch.version, "cuda", cuda)
    monkeypatch.setattr(hardware.shutil, "which", lambda _name: None)
    file = tmp_path / "version"
    if driver:
        file.write_text("NVRM version")
    check = check_gpu(file)
    assert check.found == found
    assert bool(check.remedy) == driver == (check.state == "problem")


def test_gpus_are_named_with_their_memory(monkeypatch):
    monkeypatch.setattr(hardware.torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(hardware.torch.cuda, "device_count", lambda: 1)
    card = SimpleNamespace(name="Card", total_memory=80 * 2**30)
    monkeypatch.setattr(hardware.torch.cuda, "get_device_properties", lambda _i: card)
    assert check_gpu() == Check("GPU", "ok", "Card, 80 GiB")
