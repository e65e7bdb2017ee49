"""attention.grouped: many query heads on few key and value heads."""

from torch import Tensor

from mtlib.grading.draw import DTYPES, Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import equals, leaves_inputs, refuses

from . import reference as steps
from .reference import attend


def by_group(x: Tensor, H: int) -> Tensor:
    """(B, G, …) to (B, H, …): each group once for each of its H/G neighbouring query heads."""
    return x[:, [h * x.shape[1] // H for h in range(H)]]


def reference(q: Tensor, k: Tensor, v: Tensor, keep: Tensor | None = None) -> Tensor:
    return variant()(q, k, v, keep)


def variant(spread=by_group, refuse=True, **changed):
    """Grouped attention with some of its parts changed."""

    def attention(q: Tensor, k: Tensor, v: Tensor, keep: Tensor | None = None) -> Tensor:
        H, G = q.shape[1], k.shape[1]
        if refuse and H % G:
            raise ValueError(f"G={G} groups do not share H={H} query heads evenly")
        return attend(q, spread(k, H), spread(v, H), keep, **changed)[0]

    return attention


def _heads(d: Draw, H: int, G: int) -> dict:
    B, T_q, T_k, E, dtype = d.size(high=2, rough=2), d.size(high=3), d.size(high=3), d.size(high=3), d.pick(*DTYPES)
    return {
        "q": d.floats(B, H, T_q, E, dtype=dtype, high=2),
        "k": d.floats(B, G, T_k, E, dtype=dtype, high=2),
        "v": d.floats(B, G, T_k, E, dtype=dtype, high=4),
    }


def groups(d: Draw) -> dict:
    """Several groups of several heads."""
    G = d.whole(2, 3)
    return _heads(d, G * d.whole(2, 3), G)


def edges(d: Draw) -> dict:
    """A group for each head (plain multi-head), or one for all (multi-query)."""
    H = d.whole(1, 4)
    return _heads(d, H, d.pick(1, H))


def masked(d: Draw, blank: bool = False) -> dict:
    case = (groups if d.flag() else edges)(d)
    q, k = case["q"], case["k"]
    return case | {"keep": d.keep(*d.broadcast(*q.shape[:-1], k.shape[-2]), blank=blank)}


def blank(d: Draw) -> dict:
    """At least one query of one head may look nowhere."""
    case = edges(d)
    keep = d.keep(*case["q"].shape[:-1], case["k"].shape[-2], blank=True)
    keep[:, 0, d.whole(0, keep.shape[2] - 1)] = False
    return case | {"keep": keep}


def uneven(d: Draw) -> dict:
    H = d.whole(1, 7)
    return _heads(d, H, d.pick(*(G for G in range(2, 9) if H % G)))


def largest(q: Tensor, k: Tensor, *_: Tensor, **__: Tensor) -> float:
    return float(q.abs().max() * k.abs().max() * q.shape[-1])


def _tiled(x: Tensor, H: int) -> Tensor:
    return x.repeat(1, max(H // x.shape[1], 1), 1, 1)[:, :H] if H >= x.shape[1] else x


def _first_only(x: Tensor, H: int) -> Tensor:
    return x[:, :1].expand(-1, H, -1, -1)


def _averaged(x: Tensor, H: int) -> Tensor:
    return x.mean(1, keepdim=True).expand(-1, H, -1, -1)


EXERCISE = Exercise(
    id="attention.grouped",
    title="Fewer keys than queries: grouped heads",
    answers=("grouped_attention",),
    minutes=20,
    read=("many-heads",),
    forbid=("torch.nn.functional.scaled_dot_product_attention(enable_gqa)",),
    properties=(
        Property("groups", 4, "query head h uses group h // (H/G)", groups, equals(reference, largest), 45),
        Property(
            "edges", 2, "H = G is multi-head attention, G = 1 is multi-query", edges, equals(reference, largest), 45
        ),
        Property(
            "masking",
            2,
            "keep holds for each query head, in any shape that broadcasts",
            masked,
            equals(reference, largest),
            45,
        ),
        Property("nothing kept", 1, "a query that may look nowhere gets zeros", blank, equals(reference, largest), 30),
        Property("refusal", 1, "a ValueError when G does not divide H", uneven, refuses, 30),
        Property(
            "inputs unchanged",
            1,
            "q, k, v and keep are afterwards what they were",
            masked,
            leaves_inputs(reference),
            20,
        ),
    ),
    mistakes=(
        Mistake(
            "`repeat`, which deals the groups out in turn (0, 1, 0, 1); neighbours share a group (0, 0, 1, 1)",
            variant(_tiled),
        ),
        Mistake("attention in which every head uses group 0", variant(_first_only)),
        Mistake("attention over the average of all groups", variant(_averaged)),
        Mistake("grouped attention without the division by √E", variant(score=steps.product)),
        Mistake(
            "keep the wrong way round: it looks exactly where it may not",
            variant(hide=steps.inverted, drop=steps.untouched),
        ),
        Mistake(
            "keep the wrong way round: it looks exactly where it may not",
            variant(hide=steps.inverted, drop=lambda w, keep: w.masked_fill(keep, 0.0)),
        ),
        Mistake("attention that never looks at keep", variant(hide=steps.untouched, drop=steps.untouched)),
        Mistake("-inf and no more: softmax over nothing is 0/0, which is NaN", variant(drop=steps.untouched)),
        Mistake(
            "a huge finite mask: a query that may look nowhere then looks everywhere alike",
            variant(hide=steps.filled_with(-1e9), drop=steps.untouched),
        ),
        Mistake(
            "grouped attention that takes any G, where it should refuse one that does not divide H",
            variant(refuse=False),
        ),
    ),
    hints=(
        "Write out which group each of 6 heads uses when there are 3 groups. Then make k and v as many heads as q "
        "has, in that order.",
        "Neighbouring query heads share a group, so each group stands H/G times in a row. torch has two ways of "
        "repeating; only one puts the copies side by side.",
        "`k.repeat_interleave(H // G, dim=1)`, the same for v, and then your attention from above. First refuse a "
        "G that does not divide H.",
    ),
    explanation=(
        "In generation the cache holds k and v, not q: with G groups for H heads it is H/G times smaller, and "
        "reading it is "
        "what generation waits for. The price is that the heads of a group look with different questions at the "
        "same keys. G = 1 is multi-query attention, G = H the plain kind."
    ),
    better=(
        "Copying k and v H/G times throws away the saving. `q.unflatten(1, (G, -1)) @ k.unsqueeze(2).mT` "
        "broadcasts each group "
        "over its heads and copies nothing; torch's fused kernel does it under `enable_gqa=True`."
    ),
)
