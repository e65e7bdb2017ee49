"""architecture.scaling_fit: the curve by which a loss falls with size, and the floor it falls towards."""

import math
from collections.abc import Callable

import torch

from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import Wrong, value_of
from mtlib.grading.subject import Subject

from .laws import Law, Numbers, clean, curve, noisy, other_units, shuffled, without_the_law
from .lists import agree_in_kind, leaves_lists

PARTS, KINDS = ("a", "alpha", "floor"), (0.0, 0.0, 0.0)
NEAR_ALPHA, NEAR_CURVE = 0.05, 0.01
FEW, PATIENCE = 9, 30.0  # a fit may take a second


def reference(n: Numbers, loss: Numbers) -> Law:
    """For each alpha the best a and floor are linear algebra; the best alpha is looked up."""
    n, loss = (torch.tensor(x, dtype=torch.float64) for x in (n, loss))
    alpha = torch.linspace(0.1, 1.0, 181, dtype=torch.float64)
    falling = n ** -alpha[:, None]
    columns = torch.stack([falling, torch.ones_like(falling)], -1) / loss[:, None]
    ones = torch.ones(len(alpha), len(n), 1, dtype=torch.float64)
    best = torch.linalg.lstsq(columns, ones).solution
    i = (columns @ best - ones).square().sum((1, 2)).argmin()
    a, floor = best[i, :, 0].tolist()
    return a, alpha[i].item(), floor


def _law_of(case: dict, subject: Subject) -> Law:
    yours = value_of(subject.call(case["n"], case["loss"]))
    agree_in_kind(yours, KINDS, PARTS)
    return yours


def is_the_exponent(case: dict, subject: Subject) -> None:
    alpha, planted = _law_of(case, subject)[1], case["law"][1]
    if not abs(alpha - planted) <= NEAR_ALPHA:
        raise Wrong(f"alpha is {alpha:.4g}; {planted:.4g} was planted", alpha, planted, "alpha")


def is_the_curve(case: dict, subject: Subject) -> None:
    """Near the planted curve at every size, and nothing below zero."""
    law, n = _law_of(case, subject), case["n"]
    for name, value in zip(PARTS, law, strict=True):
        if value < 0:
            raise Wrong(f"{name} is {value:.4g}; a, alpha and floor are 0 or more", value, 0.0, name)
    with_yours, planted = curve(law, n), curve(case["law"], n)
    worst = max(range(len(n)), key=lambda i: _off(with_yours[i], planted[i]))
    if _off(with_yours[worst], planted[worst]) > NEAR_CURVE:
        raise Wrong(f"at n = {n[worst]:.4g} your curve is at {with_yours[worst]:.4g}; the planted one at {planted[worst]:.4g}",
                    with_yours, planted, "the curve at each n")


def _off(yours: float, planted: float) -> float:
    off = abs(yours / planted - 1)
    return off if off == off else math.inf


def is_the_law(case: dict, subject: Subject) -> None:
    is_the_exponent(case, subject)
    is_the_curve(case, subject)


def essence(case: dict, value: object) -> object:
    """Two fits by one wrong idea differ in the third digit: within 0.01 they are the same, and a by its logarithm."""
    return torch.tensor([math.asinh(value[0]), *value[1:]]) / 1000 if _is_law(value) else value


def _is_law(value: object) -> bool:
    return type(value) is tuple and [type(x) for x in value] == [float] * 3


def line(x: Numbers, y: Numbers) -> tuple[float, float]:
    """Slope and intercept of the least squares line."""
    mx, my = sum(x) / len(x), sum(y) / len(y)
    slope = sum((p - mx) * (q - my) for p, q in zip(x, y, strict=True)) / sum((p - mx) ** 2 for p in x)
    return slope, my - slope * mx


def _line_above(floor_of: Callable) -> Callable:
    """A straight line through the logarithms of what lies above a floor that was guessed."""

    def fit_power_law(n: Numbers, loss: Numbers) -> Law:
        floor = floor_of(loss)
        pairs = [(math.log(x), math.log(y - floor)) for x, y in zip(n, loss, strict=True) if y > floor]
        slope, intercept = line(*map(list, zip(*pairs, strict=True)))
        return math.exp(intercept), -slope, floor

    return fit_power_law


def _square_root_law(n: Numbers, loss: Numbers) -> Law:
    slope, intercept = line([x**-0.5 for x in n], loss)
    return slope, 0.5, intercept


def _turned(change: Callable) -> Callable:
    """The right law, and then something else is handed in."""
    return lambda n, loss: change(n, *reference(n, loss))


def _two_bases(n: Numbers, loss: Numbers) -> Law:
    a, alpha, floor = reference(n, loss)
    return a, alpha * math.log(10), floor


def _in_place(n: Numbers, loss: Numbers) -> Law:
    pairs = sorted(zip(n, loss, strict=True))
    n[:], loss[:] = (list(x) for x in zip(*pairs, strict=True))
    return reference(n, loss)


EXERCISE = Exercise(
    id="architecture.scaling_fit",
    title="What would a larger one lose?",
    answers=("fit_power_law",),
    minutes=25,
    read=("q-data-size", "q-diminishing"),
    properties=(
        Property("clean", 2, "points on a curve give that curve back", clean, is_the_law, FEW, essence, PATIENCE),
        Property("exponent", 3, "with 0.2 % of noise, alpha within 0.05", noisy, is_the_exponent, FEW, essence, PATIENCE),
        Property("curve", 3, "with 0.2 % of noise, the curve within 1 %, and nothing below 0", noisy, is_the_curve, FEW, essence,
                 PATIENCE),
        Property("any order", 1, "the points may come in any order", shuffled, is_the_law, FEW, essence, PATIENCE),
        Property("any unit", 1, "sizes and losses may be counted in other units", other_units, is_the_law, FEW, essence, PATIENCE),
        Property("inputs unchanged", 1, "both lists are afterwards what they were", without_the_law, leaves_lists(KINDS, PARTS), 6,
                 essence, PATIENCE),
    ),
    mistakes=(
        Mistake("a straight line through the logarithms: it has no floor, and promises a loss of 0",
                _line_above(lambda loss: 0.0)),
        Mistake("the smallest loss taken for the floor: the floor is where no model has been yet", _line_above(min)),
        Mistake("half of the smallest loss taken for the floor: it is one of the three to be found",
                _line_above(lambda loss: min(loss) / 2)),
        Mistake("an alpha of 0.5 for every task", _square_root_law),
        Mistake("minus alpha: the slope falls, alpha says by how much",
                _turned(lambda n, a, alpha, floor: (a, -alpha, floor))),
        Mistake("a's logarithm, as it leaves the line; e to it is a",
                _turned(lambda n, a, alpha, floor: (math.log(a), alpha, floor))),
        Mistake("e to a logarithm of base 10",
                _turned(lambda n, a, alpha, floor: (math.exp(math.log10(a)), alpha, floor))),
        Mistake("logarithms of two bases: a slope of ln loss over log₁₀ n is 2.3 times alpha", _two_bases),
        Mistake("a n^(−alpha) at the smallest n, in a's place: a is what it would be at n = 1",
                _turned(lambda n, a, alpha, floor: (a * min(n) ** -alpha, alpha, floor))),
        Mistake("the loss at n = 1 in a's place: the floor is in it",
                _turned(lambda n, a, alpha, floor: (a + floor, alpha, floor))),
        Mistake("alpha first; a, alpha, floor is the order", _turned(lambda n, a, alpha, floor: (alpha, a, floor))),
        Mistake("floor before alpha; a, alpha, floor is the order",
                _turned(lambda n, a, alpha, floor: (a, floor, alpha))),
        Mistake("three tensors, where three floats are asked for",
                _turned(lambda n, *law: tuple(map(torch.tensor, law)))),
        Mistake("sizes sorted without their losses", lambda n, loss: reference(sorted(n), loss)),
        Mistake("points sorted in place, in lists that are the caller's", _in_place),
    ),
    hints=(
        "Three unknowns, and only alpha is inside a power. If you knew alpha, what kind of problem would a and floor be?",
        "Ordinary least squares: loss = floor · 1 + a · n^(−alpha) is linear in the two. So try many alphas between "
        "0.1 and 1, solve for the two each time, and keep the alpha with the smallest error.",
        "For each alpha: `falling = n ** -alpha`, `torch.linalg.lstsq(torch.stack([falling, "
        "torch.ones_like(falling)], 1), loss[:, None])` in float64, then `(fitted - loss).square().sum()`. Steps of "
        "0.01 will do. `.item()` makes floats.",
    ),
    explanation=(
        "Once alpha is fixed all is linear, so one unknown is searched for and two are solved. Dividing each row by "
        "its loss makes an error of 1 % count alike everywhere. Here the points come from such a law; real ones need "
        "not, and a curve that fits four decades says little about the fifth. Give the floor with an interval: with "
        "noise it can reach 0, and then nothing is known of it."
    ),
    better=(
        "Search coarsely, then finely round the best, or hand the coarse answer to `scipy.optimize.curve_fit` as its "
        "start. For intervals draw the points again with replacement, fit each time, and take the middle 95 %. "
        "Hoffmann and others (2022) use a Huber loss of log losses, so that one run gone wrong does not bend the "
        "curve."
    ),
)
