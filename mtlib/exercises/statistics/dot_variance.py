"""statistics.dot_variance: how far a dot product of independent components strays, whatever their means."""

import math

import torch
from torch import Tensor

from mtlib.grading.draw import Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import Wrong, agree, value_of
from mtlib.grading.subject import Subject

DRAWS = 20_000


def reference(d: int, var_q: float, var_k: float, mean_q: float = 0.0, mean_k: float = 0.0) -> float:
    return d * (var_q * var_k + var_q * mean_k**2 + var_k * mean_q**2)


def no_means(d: Draw) -> dict:
    """Both means are 0, and not even passed."""
    return {"d": d.size(high=8, rough=512), "var_q": _positive(d), "var_k": _positive(d)}


def unit(d: Draw) -> dict:
    """Variance 1 and mean 0, as in the paper: the answer is d."""
    return {"d": d.size(high=64, rough=4096), "var_q": 1.0, "var_k": 1.0}


def one_mean(d: Draw) -> dict:
    means = [0.0, _mean(d)]
    return no_means(d) | dict(zip(("mean_q", "mean_k"), means if d.flag() else means[::-1], strict=True))


def both_means(d: Draw) -> dict:
    return no_means(d) | {"mean_q": _mean(d), "mean_k": _mean(d)}


def to_simulate(d: Draw) -> dict:
    """Few components, and a seed for the draws."""
    return both_means(d) | {"d": d.whole(1, 6), "seed": d.whole(0, 2**20)}


def _positive(d: Draw) -> float:
    return d.whole(1, 400) / 100 if d.rough else float(d.whole(1, 4))


def _mean(d: Draw) -> float:
    size = d.whole(1, 300) / 100 if d.rough else float(d.whole(1, 3))
    return -size if d.flag() else size


def number(value: object) -> float:
    """A float, where a number or a 0-d tensor came back; raises Wrong for anything else."""
    if type(value) is Tensor and value.ndim == 0:
        value = value.item()
    if type(value) is int:
        value = float(value)
    if type(value) is not float:
        agree(value, 1.0)
    return value


def is_the_variance(case: dict, subject: Subject) -> None:
    reply = value_of(subject.call(*case.values()))
    yours, expected = number(reply), reference(**case)
    close = 1e-5 if type(reply) is Tensor and reply.dtype != torch.float64 else 1e-10  # a tensor may be float32
    if not abs(yours - expected) <= close * max(1.0, abs(expected)):
        agree(yours, expected)


def simulated(seed: int, d: int, var_q: float, var_k: float, mean_q: float, mean_k: float) -> float:
    """The variance of so many dot products, of components even on a stretch: no formula needs a bell."""
    g = torch.Generator().manual_seed(seed)
    q, k = ((torch.rand(DRAWS, d, generator=g, dtype=torch.float64) - 0.5) * math.sqrt(12) for _ in "qk")
    return float(((mean_q + math.sqrt(var_q) * q) * (mean_k + math.sqrt(var_k) * k)).sum(1).var())


def agrees_with_simulation(case: dict, subject: Subject) -> None:
    arguments = {name: value for name, value in case.items() if name != "seed"}
    drawn = simulated(case["seed"], **arguments)
    yours = number(value_of(subject.call(*arguments.values())))
    if not abs(yours - drawn) <= 0.1 * drawn:  # ten times what chance allows so many draws
        raise Wrong(f"the answer is {yours:.4g}; {DRAWS:,} dot products had variance {drawn:.4g}", yours, drawn)


def essence(case: dict, value: object) -> object:
    """A variance is the same variance as a float, an int or a tensor."""
    try:
        return torch.tensor(number(value), dtype=torch.float32)
    except Wrong as wrong:
        return wrong.sentence


def _swapped(d, var_q, var_k, mean_q=0.0, mean_k=0.0):
    return d * (var_q * var_k + var_q * mean_q**2 + var_k * mean_k**2)


def _one_cross_term(d, var_q, var_k, mean_q=0.0, mean_k=0.0):
    return d * (var_q * var_k + var_k * mean_q**2)


def _not_squared(d, var_q, var_k, mean_q=0.0, mean_k=0.0):
    return d * (var_q * var_k + var_q * abs(mean_k) + var_k * abs(mean_q))


def _mean_square(d, var_q, var_k, mean_q=0.0, mean_k=0.0):
    return d * (var_q + mean_q**2) * (var_k + mean_k**2)


def _deviations(d, var_q, var_k, mean_q=0.0, mean_k=0.0):
    return reference(d, var_q**2, var_k**2, mean_q, mean_k)


EXERCISE = Exercise(
    id="statistics.dot_variance",
    title="How far a dot product strays",
    answers=("dot_variance",),
    minutes=20,
    read=("dot-product-variance",),
    properties=(
        Property("variance 1", 1, "mean 0 and variance 1 give d", unit, is_the_variance, 20, essence),
        Property("any variance", 2, "mean 0, any two variances", no_means, is_the_variance, 40, essence),
        Property("one mean", 2, "one of the two has a mean", one_mean, is_the_variance, 40, essence),
        Property("both means", 2, "both have one, of either sign", both_means, is_the_variance, 40, essence),
        Property("simulation", 1, f"{DRAWS:,} dot products vary as much, within a tenth", to_simulate, agrees_with_simulation, 12, essence),
    ),
    mistakes=(
        Mistake("d, which holds for variance 1 and mean 0 only", lambda d, *_: float(d)),
        Mistake("the variance as if both means were 0", lambda d, a, b, *_: d * a * b),
        Mistake("the standard deviation; its square is asked for", lambda *case: math.sqrt(reference(*case))),
        Mistake("d², as if all terms were one and the same; independent ones add d times", lambda d, *rest: d * reference(d, *rest)),
        Mistake("the variance of one term, which is also that of q·k / √d; here d terms are added and nothing is divided",
                lambda d, *rest: reference(1, *rest)),
        Mistake("the mean square of the terms, from which their squared mean is still to be taken", _mean_square),
        Mistake("each mean beside its own variance; q's mean goes with k's variance, and k's with q's", _swapped),
        Mistake("one cross term of two: a mean of k matters as much as one of q", _one_cross_term),
        Mistake("the means as they are, where their squares belong", _not_squared),
        Mistake("var_q and var_k taken for deviations, and squared once more", _deviations),
    ),
    hints=(
        "One term first, q·k with d = 1. What is the variance of a product of two independent numbers? Then: how do the variances "
        "of d independent terms add up?",
        "Var(x) is E[x²] − (E x)², for x = qk too. Independent: E[q²k²] = E[q²]·E[k²]. And E[q²] is not var_q when q has a mean.",
        "E[q²] = var_q + mean_q². So one term has (var_q + mean_q²)(var_k + mean_k²) − mean_q²·mean_k². Multiply out if you like, "
        "and take it d times.",
    ),
    explanation=(
        "Multiplied out: d·(var_q·var_k + var_q·mean_k² + var_k·mean_q²). The first part is the paper's d_k. The other two are why "
        "trained heads stray further than √d_k foresees: chapter 6 measures all three in MiniLM, and the part that queries' "
        "common mean makes is over half in the median head."
    ),
    better=(
        "When the components are not independent, the numbers become matrices and the formula keeps its shape: tr(Σ_q Σ_k) + "
        "μ_kᵀ Σ_q μ_k + μ_qᵀ Σ_k μ_q. Read it with diagonal Σ and you have yours back."
    ),
)
