"""positional.t5_bucket: which of a few learned numbers an offset gets."""

import math

import torch
from torch import Tensor

from mtlib.grading.draw import Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import equals


def reference(offset: Tensor, n_buckets: int, max_distance: int, bidirectional: bool) -> Tensor:
    return variant()(offset, n_buckets, max_distance, bidirectional)


def half(per_side: int) -> int:
    return per_side // 2


def variant(exact_of=half, sign: int = 1, cut=torch.floor, last: bool = True, furthest=None, sides=None, behind=None):
    """T5's bucket with a step changed.

    exact_of: how many distances have a bucket each. sign: which side is which. cut: how a share of a bucket becomes a whole
    one. last: whether everything far falls into the last bucket. furthest: max_distance, whatever it says. sides: how many
    directions share the buckets. behind: how the offset becomes a distance when only the past counts.
    """

    def relative_bucket(offset: Tensor, n_buckets: int, max_distance: int, bidirectional: bool) -> Tensor:
        offset = sign * offset
        per_side = n_buckets // (sides or (2 if bidirectional else 1))
        exact = exact_of(per_side)
        past_only = behind or (lambda o: (-o).clamp(min=0))
        distance = offset.abs() if bidirectional else past_only(offset)
        share = torch.log(distance.clamp(min=1).double() / exact) / math.log((furthest or max_distance) / exact)
        far = exact + cut(share * (per_side - exact)).long()
        far = far.clamp(max=per_side - 1) if last else far
        bucket = torch.where(distance < exact, distance, far)
        return bucket + per_side * (offset > 0) if bidirectional else bucket

    return relative_bucket


def on_an_edge(offset: Tensor, n_buckets: int, max_distance: int, bidirectional: bool) -> Tensor:
    """True where rounding decides between two buckets."""
    per_side = n_buckets // 2 if bidirectional else n_buckets
    exact = per_side // 2
    share = torch.log(offset.abs().clamp(min=1).double() / exact) / math.log(max_distance / exact) * (per_side - exact)
    near = (share - share.round()).abs() < 1e-3
    return near & (offset.abs() > exact) & (share < per_side - exact - 0.5)


def _case(d: Draw, bidirectional: bool, furthest: int, sizes=None) -> dict:
    n_buckets, max_distance = sizes or d.pick((8, 16), (32, 128), (16, 20), (12, 100), (64, 512))
    shape = d.pick((d.size(high=6, rough=30),), (), (d.size(), d.size()), (1, d.size(), d.size()))
    offset = d.integers(*shape, low=-furthest, high=furthest)
    rest = {"n_buckets": n_buckets, "max_distance": max_distance, "bidirectional": bidirectional}
    return {"offset": offset.masked_fill(on_an_edge(offset, **rest), 1)} | rest


def near(d: Draw) -> dict:
    """Distances that have a bucket each; 32 buckets up to 128, as in T5."""
    return _case(d, d.flag(), 7, (32, 128))


def both_sides(d: Draw) -> dict:
    return _case(d, True, d.pick(12, 60, 120))


def past_only(d: Draw) -> dict:
    return _case(d, False, d.pick(12, 60, 120))


def far(d: Draw) -> dict:
    """Thousands away."""
    case = _case(d, d.flag(), 100)
    return case | {"offset": case["offset"] * 1009}


EXERCISE = Exercise(
    id="positional.t5_bucket",
    title="A drawer for every distance",
    answers=("relative_bucket",),
    minutes=30,
    read=("q-index-in-layer",),
    properties=(
        Property("near", 2, "small distances have a bucket each, those ahead in the upper half", near, equals(reference), 40),
        Property("both sides", 3, "bidirectional: far distances share buckets that widen", both_sides, equals(reference)),
        Property("past only", 3, "not bidirectional: all buckets for the past, and bucket 0 for what lies ahead", past_only, equals(reference)),
        Property("far away", 2, "beyond max_distance everything is in a direction's last bucket", far, equals(reference), 40),
    ),
    mistakes=(
        Mistake("query minus key: the offset is key minus query, so what lies ahead is positive", variant(sign=-1)),
        Mistake("the distance on both sides, though only the past counts: what lies ahead belongs into bucket 0",
                variant(behind=torch.abs)),
        Mistake("all buckets given to each side: when both count, a side has half of them", variant(sides=1)),
        Mistake("half of the buckets for the past where no other side exists: all of them are for it", variant(sides=2)),
        Mistake("no logarithm: every distance has its own bucket up to the last",
                variant(exact_of=lambda per_side: per_side - 1)),
        Mistake("a quarter of a side's buckets for single distances; it is half of them",
                variant(exact_of=lambda per_side: per_side // 4)),
        Mistake("shares rounded to the nearest bucket; they are cut off", variant(cut=torch.round)),
        Mistake("shares rounded up; they are cut off", variant(cut=torch.ceil)),
        Mistake("no last bucket: what is very far falls out of the table", variant(last=False)),
        Mistake("a max_distance of 128, whatever the argument says", variant(furthest=128)),
        Mistake("float buckets; an index is int64", lambda *case: reference(*case).float()),
        Mistake("int32 buckets; int64 is asked for", lambda *case: reference(*case).int()),
    ),
    hints=(
        "First the two questions that have nothing to do with logarithms: how many buckets has one direction, and what is the "
        "distance when keys ahead cannot be seen? Half of a direction's buckets then simply are the distance.",
        "For the rest: log(distance / exact) / log(max_distance / exact) is 0 where the single buckets end and 1 at max_distance. "
        "Times the number of buckets left, cut to a whole number, added to `exact`; never beyond the last bucket.",
        "`far = exact + (log(d / exact) / log(max_distance / exact) * (per_side - exact)).long()`, `clamp(max=per_side - 1)`, "
        "`torch.where(d < exact, d, far)`; with both sides, add per_side where offset > 0. Keep log away from 0 by `clamp(min=1)`.",
    ),
    explanation=(
        "Whether a word stands 2 or 3 back may matter; whether 90 or 91, hardly. So near distances have a number each and far "
        "ones share, and 32 numbers a head cover any length: beyond max_distance nothing is new to the model. Mind the sign, "
        "key minus query: it is the one thing everybody gets wrong once."
    ),
    better=(
        "`torch.bucketize` on the whole-number edges, computed once, needs no logarithm at run time and cannot differ by rounding "
        "between machines. T5 itself takes the logarithm in float32, so on an exact edge its rounding is the definition."
    ),
)
