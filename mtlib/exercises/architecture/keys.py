"""Keys, values and a query to look up: warm, cold, frozen, and with keys that are equally good."""

import torch
from torch import Tensor

from mtlib.grading.draw import DTYPES, Draw

COLDEST = 1e-8


def _sizes(d: Draw) -> tuple[int, int, int]:
    return d.size(rough=9), d.size(high=3, rough=6), d.size(high=2, rough=5)


def _on_axes(d: Draw, n: int, width: int, dtype: torch.dtype) -> Tensor:
    """Keys along the axes, either way: equal scores are equal to the last bit."""
    axes = d.integers(n, low=0, high=width - 1)
    signs = 1 - 2 * d.integers(n, low=0, high=1)
    return (torch.eye(width)[axes] * signs[:, None]).to(dtype)


def _case(d: Draw, t: float) -> dict:
    """Whole numbers and keys on the axes when plain, any direction when rough."""
    (n, width, d_v), dtype = _sizes(d), d.pick(*DTYPES)
    if d.rough:
        keys = torch.nn.functional.normalize(d.floats(n, width, dtype=torch.float64), dim=-1).to(dtype)
        query = d.floats(width, dtype=dtype, spread=2.0)
    else:
        keys, query = _on_axes(d, n, width, dtype), d.floats(width, dtype=dtype)
    return {"keys": keys, "values": d.floats(n, d_v, dtype=dtype), "query": query, "t": t}


def warm(d: Draw) -> dict:
    return _case(d, d.pick(1.0, 2.0, 0.5, 0.25, 8.0))


def _with_one_best(d: Draw, t: float) -> dict:
    """The best key is ahead of the next by a tenth at least."""
    case = _case(d, t)
    keys, query = case["keys"].double(), case["query"].double()
    best = int((keys @ query).argmax())
    ahead = keys @ keys[best] < 0.9  # what lies too near the best is turned round: it is now far
    ahead[best] = True
    keys = torch.where(ahead[:, None], keys, -keys)
    query = query + (4.0 if not d.rough else 4.0 + 9 * query.norm()) * keys[best]
    return case | {"keys": keys.to(case["keys"].dtype), "query": query.to(case["query"].dtype)}


def cold(d: Draw) -> dict:
    """So near 0 that scores / t goes to hundreds of millions."""
    return _with_one_best(d, d.pick(COLDEST, 1e-6, 1e-7))


def at_zero(d: Draw) -> dict:
    return _with_one_best(d, 0.0)


def ties(d: Draw) -> dict:
    """Several keys may be as good as the best, and one at least is twice there."""
    n, width, d_v = _sizes(d)
    dtype = d.pick(*DTYPES)
    keys = _on_axes(d, n, width, dtype)
    keys = torch.cat([keys, keys[d.whole(0, n - 1)][None]])
    query = d.integers(width, low=-3, high=3).to(dtype)
    return {"keys": keys, "values": d.floats(n + 1, d_v, dtype=dtype), "query": query, "t": 0.0}


def close_calls(d: Draw) -> dict:
    """The best is ahead of the next by a 256th."""
    width, d_v, dtype = d.whole(2, 5), d.size(high=2, rough=4), d.pick(*DTYPES)
    best = d.whole(0, width - 1)
    query = torch.full((width,), float(d.whole(1, 3)), dtype=dtype)
    query[best] += 1 / 256
    values = d.floats(width, d_v, dtype=dtype)
    values[best] += 8
    return {"keys": torch.eye(width, dtype=dtype), "values": values, "query": query, "t": d.pick(0.0, COLDEST)}


def far(d: Draw) -> dict:
    """A query so long that e to the score is beyond every float."""
    case = _with_one_best(d, d.pick(1.0, 0.5))
    return case | {"query": case["query"] * d.pick(1000.0, 4000.0)}
