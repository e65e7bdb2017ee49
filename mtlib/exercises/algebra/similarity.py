"""algebra.similarity: every row of one list against every row of another, by dot product and by cosine."""

import torch
from torch import Tensor
from torch.nn.functional import normalize

from mtlib.grading.draw import DTYPES, Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import differentiates, equals, leaves_inputs


def dots(q: Tensor, k: Tensor) -> Tensor:
    return q @ k.mT


def cosines(q: Tensor, k: Tensor) -> Tensor:
    return unit(q) @ unit(k).mT


def unit(x: Tensor) -> Tensor:
    """Rows of length 1; a row of zeros stays one, and no gradient reaches it."""
    length = lengths(x)
    some = length > 0
    return x / torch.where(some, length, 1.0) * some


def lengths(x: Tensor, dim: int = -1) -> Tensor:
    return x.norm(dim=dim, keepdim=True)


def largest(q: Tensor, k: Tensor) -> float:
    """The largest dot product that rows so long can have."""
    return float((lengths(q) @ lengths(k).mT).max())


def pair(d: Draw) -> dict:
    """A list of queries and a list of keys, rows of zeros among them."""
    D, dtype = d.size(), d.pick(*DTYPES)
    return {"q": d.floats(d.size(), D, dtype=dtype), "k": d.floats(d.size(), D, dtype=dtype)}


def nonzero(d: Draw) -> dict:
    return {name: _filled(x) for name, x in pair(d).items()}


def with_zeros(d: Draw) -> dict:
    """At least one row of zeros in one of the two lists."""
    case = nonzero(d)
    x = case[d.pick("q", "k")]
    x[d.whole(0, len(x) - 1)] = 0
    return case


def any_length(d: Draw) -> dict:
    """Rows from about a millionth to about a million long."""
    case = {name: unit(x) if d.rough else x for name, x in nonzero(d).items()}
    return {name: x * d.pick(2e-6, 1.0, 1e5) for name, x in case.items()}


def about_one(d: Draw) -> dict:
    """Rows of length 1, or of zeros, in float64; and what arrives from above."""
    D = d.size()
    q, k = (unit(d.floats(d.size(), D, dtype=torch.float64)) for _ in range(2))
    return {"q": q, "k": k, "cotangent": d.floats(len(q), len(k), dtype=torch.float64)}


def _filled(x: Tensor) -> Tensor:
    x[:, 0] += (x == 0).all(dim=1)
    return x


def of_dots(judge):
    """A judge of the first of the two functions."""
    return lambda case, similarity_matrix, cosine_similarity: judge(case, similarity_matrix)


def of_cosines(judge):
    """A judge of the second of the two functions."""
    return lambda case, similarity_matrix, cosine_similarity: judge(case, cosine_similarity)


def _guarded_by_one(x: Tensor) -> Tensor:
    length = lengths(x)
    return x / torch.where(length > 0, length, 1.0)


def _in_place(q: Tensor, k: Tensor) -> Tensor:
    for x in (q, k):
        x.div_(torch.where(lengths(x) > 0, lengths(x), 1.0))
    return q @ k.mT


def _unguarded(q: Tensor, k: Tensor) -> Tensor:
    return q @ k.mT / (lengths(q) * lengths(k).mT)


def _mistaken_cosine(sentence: str, cosine, raises: str = "") -> Mistake:
    return Mistake(sentence, dots, cosine, raises=raises)


EXERCISE = Exercise(
    id="algebra.similarity",
    title="Everyone meets everyone",
    answers=("similarity_matrix", "cosine_similarity"),
    minutes=20,
    read=("matrix-lists", "alike"),
    properties=(
        Property("dot products", 2, "entry (i, j) is row i of q with row j of k", pair, of_dots(equals(dots, largest))),
        Property("cosine", 3, "the dot product over both lengths, from -1 to 1", nonzero, of_cosines(equals(cosines))),
        Property("zero vectors", 2, "a row of zeros is like nothing: 0", with_zeros, of_cosines(equals(cosines)), 40),
        Property("any length", 2, "lengths of 1e-6 to 1e6 make no difference", any_length, of_cosines(equals(cosines)), 40),
        Property("gradients", 2, "right, and 0 for a row of zeros", about_one, of_cosines(differentiates(cosines)), 40),
        Property("inputs unchanged", 1, "q and k are afterwards what they were", pair, of_cosines(leaves_inputs(cosines)), 20),
    ),
    mistakes=(
        _mistaken_cosine("the plain dot product, where the cosine was asked for", dots),
        _mistaken_cosine("a division by the length of q only", lambda q, k: unit(q) @ k.mT),
        _mistaken_cosine("a division by the length of k only", lambda q, k: q @ unit(k).mT),
        _mistaken_cosine(
            "the scaled dot product of attention, over √D: that is not the cosine", lambda q, k: q @ k.mT / q.shape[-1] ** 0.5
        ),
        _mistaken_cosine("1 - cosine, a distance", lambda q, k: 1 - cosines(q, k)),
        _mistaken_cosine(
            "a division by squared lengths: the root is missing",
            lambda q, k: dots(*(x / torch.where(lengths(x) > 0, lengths(x) ** 2, 1.0) for x in (q, k))),
        ),
        _mistaken_cosine(
            "lengths of columns, where those of rows are wanted",
            lambda q, k: dots(*(x / torch.where(lengths(x, 0) > 0, lengths(x, 0), 1.0) for x in (q, k))),
        ),
        _mistaken_cosine(
            "one length for a whole list, where each row has its own",
            lambda q, k: dots(*(x / torch.where(x.norm() > 0, x.norm(), 1.0) for x in (q, k))),
        ),
        _mistaken_cosine("0/0 for a row of zeros, which is NaN and not 0", _unguarded),
        _mistaken_cosine(
            "a small number added below: it is not small beside the product of two short lengths",
            lambda q, k: q @ k.mT / (lengths(q) * lengths(k).mT + 1e-8),
        ),
        _mistaken_cosine(
            "0/0 repaired afterwards: the value is 0, but the gradient went through NaN",
            lambda q, k: _unguarded(q, k).nan_to_num(0.0),
        ),
        _mistaken_cosine(
            "a length of 1 put in for 0: the value is 0, but a gradient still flows into the row of zeros",
            lambda q, k: _guarded_by_one(q) @ _guarded_by_one(k).mT,
        ),
        _mistaken_cosine(
            "torch's `normalize`, which divides a row of zeros by 1e-12: the value is 0, and the gradient times 1e12",
            lambda q, k: normalize(q, dim=-1) @ normalize(k, dim=-1).mT,
        ),
        _mistaken_cosine("a division in place, so that the caller's rows have length 1 now", _in_place, "RuntimeError"),
        Mistake("k qᵀ, whose entry (i, j) is row i of k with row j of q", lambda q, k: k @ q.mT, cosines),
    ),
    hints=(
        "The first function is one product; which of its two matrices must be turned over so that rows meet rows? "
        "For the second, bring every row to length 1 first, then use the first.",
        "Each row has its own length, and the axis has to stay for the division to line up. A row of zeros has length "
        "0: decide what to divide it by, and then see to it that no gradient comes back through it.",
        "`length = x.norm(dim=-1, keepdim=True)` and `some = length > 0`; then "
        "`x / torch.where(some, length, 1.0) * some`. The product with `some` is what stops the gradient.",
    ),
    explanation=(
        "A cosine is a dot product after the lengths are taken out: direction is all that is left. That is why it has no "
        "answer for a vector without direction, and you had to choose one. The gradient matters more than the value: one "
        "row of padding, one 0/0 hidden by nan_to_num, and every weight of the model is NaN after the next step."
    ),
    better=(
        "torch has `F.cosine_similarity(q[:, None], k[None], dim=-1)`; it forms (T_q, T_k, D) numbers on the way, D times "
        "what you formed. For a search in a fixed list, bring its rows to length 1 once and keep them so: then every "
        "question is one plain product."
    ),
    forbid=("torch.nn.functional.cosine_similarity", "torch.cosine_similarity"),
)
