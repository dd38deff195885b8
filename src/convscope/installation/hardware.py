"""The processor and the GPU, and what PyTorch can do with them."""

import shutil
from pathlib import Path
from typing import Any

import torch

from convscope.devices import physical_cores
from convscope.installation.check import Check
from convscope.training import computes_bfloat16

_DRIVER = Path("/proc/driver/nvidia/version")
_GB = 1 << 30


def check_processor() -> Check:
    """Describe the processor: cores available to this process and whether bfloat16 is computed in hardware."""
    cores = physical_cores()
    precision = "in hardware" if computes_bfloat16(torch.device("cpu")) else "not in hardware: float32 is used"
    return Check(
        "processor", "ok",
        f"{cores} core{'s' * (cores != 1)}, {torch.backends.cpu.get_cpu_capability()} kernels, bfloat16 {precision}",
    )  # fmt: skip


def check_gpu(driver: Path = _DRIVER) -> Check:
    """Check whether PyTorch sees a GPU, and where it sees none although there is one, why.

    Args:
        driver: the file by which NVIDIA's kernel driver shows itself; another one in tests.
    """
    if torch.cuda.is_available():
        names = [_gpu(torch.cuda.get_device_properties(i)) for i in range(torch.cuda.device_count())]
        return Check("GPU", "ok", ", ".join(names))
    if not driver.exists() and shutil.which("nvidia-smi") is None:
        return Check("GPU", "ok", "none found; the processor is used")
    build = torch.__version__
    if torch.version.cuda is None:
        found = f"there is an NVIDIA driver, but PyTorch {build} is built for processors only"
        return Check("GPU", "problem", found, "install the build that https://pytorch.org/get-started/locally names")
    found = f"there is an NVIDIA driver, but PyTorch {build}, built for CUDA {torch.version.cuda}, finds no device"
    return Check("GPU", "problem", found, "update the driver; start a container with access to the GPU")


def _gpu(properties: Any) -> str:
    return f"{properties.name}, {properties.total_memory / _GB:.0f} GiB"
