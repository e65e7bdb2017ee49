"""What the two exercises share that take lists of floats and give a tuple of numbers and words."""

from collections.abc import Callable
from typing import Any

from mtlib.grading.judge import Wrong, agree, value_of
from mtlib.grading.subject import Subject


def agree_in_kind(yours: Any, kinds: tuple, names: tuple[str, ...]) -> None:
    """Raise Wrong unless `yours` is a tuple of such things as `kinds` holds, for instance ("", 0.0)."""
    if type(yours) is tuple and len(yours) == len(kinds):
        yours = tuple(kind if type(part) is type(kind) else part for part, kind in zip(yours, kinds, strict=True))
    agree(yours, kinds, names=names)


def leaves_lists(kinds: tuple, names: tuple[str, ...]) -> Callable:
    """A judge: the lists hold after the call what they held before, and the answer has the right form."""

    def judge(case: dict, subject: Subject) -> None:
        reply = subject.call(*case.values())
        agree_in_kind(value_of(reply), kinds, names)
        for (name, before), after in zip(case.items(), reply.after, strict=True):
            if after != before:
                raise Wrong(f"{name} is changed in place", after, before, f"{name} after the call")

    return judge
