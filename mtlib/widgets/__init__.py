"""Live controls: one figure, a few settings, in a notebook and in the built page alike.

`attention`, `translation`, `next_token` and `layers` are mtlib.browser's views of a whole model at work,
imported when first asked for.
"""

from .explore import explore
from .walk import walk

__all__ = ["explore", "walk"]
_VIEWS = ("attention", "layers", "next_token", "translation")


def __getattr__(name: str):
    if name not in _VIEWS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .. import browser

    return getattr(browser, name)
