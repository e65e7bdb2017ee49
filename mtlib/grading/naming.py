"""Naming a mistake: the wrong variant that answers exactly as the learner's code does.

A name is given only when the variant's replies equal the learner's on the smallest failing case and on a run of
further cases of the same property, so that it is not given by luck. Of two variants that still agree, the
cases of the other properties tell which. People make two mistakes at once: on further cases another dtype is
no objection, and a property on which no suspect agrees has nothing to say about them.
"""

import re
import time
import warnings
from collections.abc import Callable

from torch import Tensor

from .compare import gap
from .draw import throws
from .exercise import Exercise, Mistake, Property
from .local import UnguardedSubject
from .subject import Reply, Subject
from .trouble import Trouble

FURTHER, SECONDS = 24, 10.0  # cases of a property that have to agree, as far as the learner's code has answered in that time


def name_mistake(exercise: Exercise, outcome, subjects: list, seed: int) -> str | None:
    """The sentence of the one mistake that explains the learner's replies, or None."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _name(exercise, outcome, subjects, seed)


def _name(exercise: Exercise, outcome, subjects: list, seed: int) -> str | None:
    each = outcome.property
    theirs = replies(each.judge, outcome.case, subjects)
    suspects = [m for m in exercise.mistakes if _same(each, outcome.case, theirs, _replies_of(m, each, outcome.case))]
    if not suspects:
        return None
    spent = 0.0
    for asked in [each, *(p for p in exercise.properties if p is not each)]:
        left = suspects
        for case in _further(asked, seed, FURTHER if asked is each else FURTHER // 2):
            if spent > SECONDS:
                break
            began = time.monotonic()
            theirs = replies(asked.judge, case, subjects)
            spent += time.monotonic() - began
            left = [m for m in left if _same(asked, case, theirs, _replies_of(m, asked, case), any_dtype=True)]
        suspects = left if left or asked is each else suspects
        if len({m.sentence for m in suspects}) < 2:  # other properties are asked only to tell two suspects apart
            return suspects[0].sentence if suspects else None
    return None


def replies(judge: Callable, case: dict, subjects: list) -> list[Reply]:
    """All that the subjects answer while a judge looks at one case."""
    logs = [subject.log for subject in subjects]
    for log in logs:
        log.clear()
    try:
        judge(case, *subjects)
    except Exception:
        pass  # whether it is wrong is known; here it is about how
    return [reply for log in logs for reply in log]


def _replies_of(mistake: Mistake, each: Property, case: dict) -> list[Reply]:
    return replies(each.judge, case, [UnguardedSubject(answer) for answer in mistake.answers])


def _same(each: Property, case: dict, theirs: list[Reply], variant: list[Reply], any_dtype: bool = False) -> bool:
    if len(theirs) != len(variant):
        return False
    return all(_alike(each, case, a, b, any_dtype) for a, b in zip(theirs, variant, strict=True))


def _alike(each: Property, case: dict, a: Reply, b: Reply, any_dtype: bool) -> bool:
    if a.trouble or b.trouble:
        return _same_trouble(a.trouble, b.trouble)
    if isinstance(a.value, Subject) or isinstance(b.value, Subject):
        return isinstance(a.value, Subject) and isinstance(b.value, Subject)  # where each lives is no difference
    if each.essence:
        return gap(each.essence(case, a.value), each.essence(case, b.value)) is None
    mine, other = (_in_float32(r.value) if any_dtype else r.value for r in (a, b))
    return gap(mine, other, largest=10.0) is None and gap(a.after, b.after) is None


def _in_float32(value: object) -> object:
    if type(value) is tuple:
        return tuple(map(_in_float32, value))
    return value.float() if type(value) is Tensor and value.is_floating_point() else value


def _same_trouble(a: Trouble | None, b: Trouble | None) -> bool:
    """The same error with the same words; the sizes in it are the case's."""
    words = [t and (t.type, re.sub(r"\d+", "#", t.text)) for t in (a, b)]
    return words[0] == words[1]


def _further(each: Property, seed: int, count: int) -> list[dict]:
    """More cases of the same property, plain and rough."""
    return [case for rough in (False, True) for case in throws(each.cases, rough, count // 2, seed + 1)]
