"""ffn.is_linear: catch a function that bends, by trying it."""

from collections.abc import Callable

import torch

from mtlib.grading.draw import Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import equals
from mtlib.grading.kit import Kit


def reference(f: Callable, d: int) -> bool:
    x, y = torch.randn(2, 1000, d, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    return bool(((f(x + y) - f(x) - f(y)).abs() < 1e-6).all())


def straight(d: Draw) -> dict:
    """Linear, from a map onto 0 to one of hundreds."""
    n = d.size()
    return {"f": d.pick(Kit("identity"), Kit("zero"), Kit("scale", options={"by": 300.0}), _map(d, n)), "d": n}


def shifted(d: Draw) -> dict:
    """Affine: a map of rows, and then the same thing added to each."""
    n = d.size()
    by = d.whole(-3, 3)
    return {"f": d.pick(Kit("scale", options={"by": float(by), "plus": 1.0}), _map(d, n, bias=True)), "d": n}


def bent(d: Draw) -> dict:
    return {"f": d.pick(Kit("square"), Kit("exp"), Kit("sigmoid"), Kit("gelu")), "d": d.size()}


def one_corner(d: Draw) -> dict:
    """Linear on each side of 0, and not across."""
    return {"f": d.pick(Kit("relu"), Kit("abs")), "d": d.size()}


def odd(d: Draw) -> dict:
    """f(-x) = -f(x), and yet no straight line."""
    return {"f": d.pick(Kit("tanh"), Kit("sine")), "d": d.size()}


def together(d: Draw) -> dict:
    """Softmax, which looks at all of a row; of a row of one it makes 1."""
    return {"f": Kit("softmax"), "d": d.size()}


def _map(d: Draw, n: int, bias: bool = False) -> Kit:
    return Kit("linear", d.whole(0, 99), {"d_in": n, "d_out": d.size(), "bias": bias})


def _pairs(d: int):
    return torch.randn(2, 1000, d, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def _small(gap) -> bool:
    return bool((gap.abs() < 1e-6).all())


def _affine_too(f, d):
    x, y = _pairs(d)
    return _small(f(x + y) - f(x) - f(y) + f(torch.zeros_like(x)))


def _at_zero(f, d):
    return _small(f(torch.zeros(1, d, dtype=torch.float64)))


def _doubled(f, d):
    x, _ = _pairs(d)
    return _small(f(2 * x) - 2 * f(x))


def _turned(f, d):
    x, _ = _pairs(d)
    return _small(f(-x) + f(x))


def _positive(f, d):
    x, y = _pairs(d).abs()
    return _small(f(x + y) - f(x) - f(y))


def _tiny(f, d):
    x, y = 1e-5 * _pairs(d)
    return _small(f(x + y) - f(x) - f(y))


def _to_the_last_bit(f, d):
    x, y = _pairs(d)
    return bool((f(x + y) == f(x) + f(y)).all())


def _on_average(f, d):
    x, y = _pairs(d)
    return abs(float((f(x + y) - f(x) - f(y)).mean())) < 0.1


def _in_one_entry(f, d):
    x, y = _pairs(d)
    return bool(((f(x + y) - f(x) - f(y)).abs() < 1e-6).any())


EXERCISE = Exercise(
    id="ffn.is_linear",
    title="Caught bending",
    answers=("is_linear",),
    minutes=15,
    read=("s-linearity",),
    properties=(
        Property("linear", 3, "True for a linear map, rounding notwithstanding", straight, equals(reference)),
        Property("shifted", 2, "False for a linear map plus a constant", shifted, equals(reference), 40),
        Property("bent", 2, "False for x², eˣ, the S-curve, GELU", bent, equals(reference), 30),
        Property("one corner", 2, "False for ReLU and |x|, which are straight on either side", one_corner, equals(reference), 30),
        Property("odd", 1, "False for tanh and sine, though f(−x) = −f(x)", odd, equals(reference), 30),
        Property("softmax", 1, "False for softmax, in one dimension too", together, equals(reference), 20),
    ),
    mistakes=(
        Mistake("a test that lets a shift pass: f(x) + b is affine, and f(0) = b gives it away", _affine_too),
        Mistake("a look at f(0) alone: x², ReLU and tanh are 0 there too", _at_zero),
        Mistake("doubling alone: ReLU and |x| double happily, f(2x) = 2 f(x)", _doubled),
        Mistake("f(−x) = −f(x) alone: tanh and sine pass", _turned),
        Mistake("positive numbers only: ReLU and |x| are straight there, and bend at 0", _positive),
        Mistake("numbers so small that everything smooth looks straight", _tiny),
        Mistake("a comparison to the last bit: rounding alone makes linear maps fail it", _to_the_last_bit),
        Mistake("the mean gap over all pairs: gaps of both signs cancel", _on_average),
        Mistake("`any` where `all` is meant: one entry in which nothing happened is no proof", _in_one_entry),
        Mistake("False, whatever comes", lambda f, d: False),
        Mistake("True, whatever comes", lambda f, d: True),
    ),
    hints=(
        "You cannot prove it by trying, but you can catch a liar: draw x and y at random and compare f(x + y) with f(x) + f(y). How "
        "many pairs, if a quarter of them give a liar away?",
        "A thousand pairs are one call: f takes (N, d). Draw from the bell curve, so that both signs come, and allow for rounding.",
        "`x, y = torch.randn(2, 1000, d, dtype=torch.float64)`; every entry of `f(x + y) - f(x) - f(y)` must be below 1e-6 or so. "
        "Return a Python bool.",
    ),
    explanation=(
        "With a quarter of the pairs giving it away, one pair lets a liar pass three times in four, twenty pairs once in 300, a "
        "thousand practically never. And yet it is a refutation and no proof: a function that bends only beyond 10 passes."
    ),
    better=(
        "Return the pair that broke it, not only False: a counterexample is worth more than a verdict. For a function you can "
        "differentiate, compare the Jacobian at two random points; it is constant exactly for affine functions."
    ),
)
