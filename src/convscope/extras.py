"""Optional dependencies: the error for a missing one gives the command that installs it."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from convscope.errors import ConfigError

EXTRAS = {
    "report": ("matplotlib", "jinja2"),
    "parquet": ("pyarrow",),
    "explorer": ("fastapi", "starlette", "uvicorn", "jinja2", "matplotlib"),
    "serve": ("fastapi", "starlette", "uvicorn", "python_multipart"),
    "onnx": ("onnx", "onnxruntime", "onnxscript"),
    "sound": ("soundfile",),
    "tensorboard": ("tensorboard",),
    "tune": ("optuna",),
    "volume": ("nibabel", "pydicom"),
}
"""The import names of the modules that each extra of the package installs."""


class MissingExtraError(ConfigError):
    """An optional dependency is not installed."""


@contextmanager
def extra(name: str, user: str) -> Iterator[None]:
    """Guard imports of optional dependencies in the body.

    Args:
        name: the extra that installs them, a key of `EXTRAS`.
        user: the feature that needs them, for the message.

    Raises:
        MissingExtraError: one of them is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        module = (error.name or "").partition(".")[0]
        if module not in EXTRAS[name]:
            raise
        raise MissingExtraError(f"{user}: {module} is not installed; pip install 'convscope[{name}]'") from None


def require(name: str, user: str) -> None:
    """Check before a long operation that the modules of an extra are installed.

    Args:
        name: the extra, a key of `EXTRAS`.
        user: the feature that needs it, for the message.

    Raises:
        MissingExtraError: one of them is not installed.
    """
    with extra(name, user):
        for module in EXTRAS[name]:
            import_module(module)
