"""What is installed on this machine: packages, extras, processor, GPU and caches, for ``convscope doctor``."""

from convscope.installation.caches import CACHES, Cache, clear_caches, find_caches
from convscope.installation.check import Check
from convscope.installation.hardware import check_gpu, check_processor
from convscope.installation.packages import check_extras, check_python, check_requirements, check_torchvision

__all__ = [
    "CACHES",
    "Cache",
    "Check",
    "check_extras",
    "check_gpu",
    "check_processor",
    "check_python",
    "check_requirements",
    "check_torchvision",
    "clear_caches",
    "find_caches",
]
