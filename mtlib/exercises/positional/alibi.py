"""positional.alibi: the farther a key, the lower its score, by a slope for every head."""

import torch
from torch import Tensor

from mtlib.grading.draw import Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import equals, refuses


def reference(n_heads: int, T_q: int, T_k: int) -> Tensor:
    return variant()(n_heads, T_q, T_k)


def halving(H: int) -> list[float]:
    return [2.0 ** (-8 * h / H) for h in range(1, H + 1)]


def last(T_q: int, T_k: int) -> Tensor:
    """Key position less query position; the queries are the last T_q positions."""
    return torch.arange(T_k) - torch.arange(T_k - T_q, T_k)[:, None]


def first(T_q: int, T_k: int) -> Tensor:
    return torch.arange(T_k) - torch.arange(T_q)[:, None]


def variant(slopes=halving, offsets=last, far=torch.abs, powers: bool = True):
    """The bias with a step changed: the slopes, where the queries stand, what counts as far, whether 3 heads are refused."""

    def alibi_bias(n_heads: int, T_q: int, T_k: int) -> Tensor:
        if powers and (n_heads < 1 or n_heads & (n_heads - 1)):
            raise ValueError(f"n_heads={n_heads} must be a power of two")
        return -torch.tensor(slopes(n_heads))[:, None, None] * far(offsets(T_q, T_k))

    return alibi_bias


def square(d: Draw) -> dict:
    T = d.size(rough=30)
    return {"n_heads": 2 ** d.whole(0, 4), "T_q": T, "T_k": T}


def with_a_past(d: Draw) -> dict:
    T_q = d.size(high=3, rough=10)
    return {"n_heads": 2 ** d.whole(0, 4), "T_q": T_q, "T_k": T_q + d.size(high=3, rough=30)}


def one_head(d: Draw) -> dict:
    return with_a_past(d) | {"n_heads": 1}


def no_power(d: Draw) -> dict:
    T = d.size()
    return {"n_heads": d.pick(3, 6, 12, 5, 20, 7), "T_q": T, "T_k": T}


def _no_future(n_heads: int, T_q: int, T_k: int) -> Tensor:
    return reference(n_heads, T_q, T_k).masked_fill(last(T_q, T_k) > 0, float("-inf"))


EXERCISE = Exercise(
    id="positional.alibi",
    title="The farther, the fainter",
    answers=("alibi_bias",),
    minutes=15,
    read=("q-index-in-layer",),
    properties=(
        Property("square", 3, "minus the slope times the distance, whichever side the key is on", square, equals(reference), 40),
        Property("with a past", 2, "the queries are the last T_q of T_k positions", with_a_past, equals(reference), 40),
        Property("one head", 1, "a single head has the slope 2^-8", one_head, equals(reference), 20),
        Property("refusal", 1, "a ValueError unless the number of heads is a power of two", no_power, refuses, 20),
    ),
    mistakes=(
        Mistake("the queries taken for the first positions; with a cache they are the last", variant(offsets=first)),
        Mistake("a bonus for distance: the minus is missing", lambda *case: -reference(*case)),
        Mistake("a bonus for keys that lie ahead: the distance counts on both sides, without its sign",
                variant(far=lambda offset: -offset)),
        Mistake("a mask as well: keys ahead got −inf, which is not the bias's business", _no_future),
        Mistake("heads counted from 0: the first slope is then 1, and all are one step too steep",
                variant(slopes=lambda H: [2.0 ** (-8 * h / H) for h in range(H)])),
        Mistake("slopes 2^-h, which is right for eight heads only", variant(slopes=lambda H: [2.0**-h for h in range(1, H + 1)])),
        Mistake("the slopes from flat to steep; head 1 has the steepest", variant(slopes=lambda H: halving(H)[::-1])),
        Mistake("slopes evenly spaced; they halve by the same factor from head to head",
                variant(slopes=lambda H: [1 - (1 - 2.0**-8) * h / H for h in range(1, H + 1)])),
        Mistake("the squared distance", variant(far=torch.square)),
        Mistake("the heads last, (T_q, T_k, H); they come first", lambda *case: reference(*case).permute(1, 2, 0)),
        Mistake("one bias for all heads, without their axis", lambda *case: reference(*case)[0]),
        Mistake("float64; the default dtype is asked for", lambda *case: reference(*case).double()),
        Mistake("a bias for any number of heads: no ValueError where it is no power of two", variant(powers=False)),
    ),
    hints=(
        "Two tables of places, T_q and T_k long. At which places do the queries stand when they are fewer than the keys?",
        "`torch.arange(T_k) - torch.arange(T_k - T_q, T_k)[:, None]` is key less query. The slopes are a geometric row of H "
        "numbers that ends at 2^-8.",
        "`slopes = torch.tensor([2.0 ** (-8 * h / n_heads) for h in range(1, n_heads + 1)])`, and then "
        "`-slopes[:, None, None] * offsets.abs()`. A power of two n has `n & (n - 1) == 0`.",
    ),
    explanation=(
        "A head with a steep slope sees only its neighbours, one with slope 2^-8 nearly everything: at distance 256 it takes 1 off "
        "the score. Nothing is learned and nothing ends, so a row of any length has a bias; and what is far away is faint in the "
        "way it was in training, only more so."
    ),
    better=(
        "Under a causal mask softmax lets you leave the abs away and even use slope·j alone, the same for all queries: what a "
        "query adds to its whole row cancels. For other numbers of heads the paper interleaves the slopes of two powers of two."
    ),
)
