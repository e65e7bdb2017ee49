"""Live controls: one figure, a few settings, in a notebook and in the built page alike."""

from .explore import explore

__all__ = ["explore"]
