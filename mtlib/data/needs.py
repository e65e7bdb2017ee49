"""What is not on this machine: one line that says what to run."""

from importlib import import_module
from types import ModuleType

from ..assets import AssetMissing


class DataMissing(AssetMissing):
    """A package or a file that a source of data reads is not here, or cannot be read."""


def needed(package: str, distribution: str, what: str) -> ModuleType:
    """The imported package; DataMissing, in one line, where it is not installed."""
    try:
        return import_module(package)
    except ModuleNotFoundError:
        raise DataMissing(f"{what} needs {distribution}, which is not installed: run `pip install {distribution}`") from None
