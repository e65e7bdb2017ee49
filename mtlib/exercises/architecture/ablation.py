"""architecture.ablation: is B better than A, or was it the seed?"""

import math
from collections.abc import Callable

from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import agree, equals, value_of
from mtlib.grading.subject import Subject

from .lists import agree_in_kind, leaves_lists
from .runs import (
    Losses,
    any_runs,
    close_calls,
    differences,
    nothing_changed,
    one_difference,
    same_side,
    spread,
    standard_error,
)

PARTS, KINDS = ("mean", "se", "verdict"), (0.0, 0.0, "")


def reference(a: Losses, b: Losses) -> tuple[float, float, str]:
    return variant()(a, b)


def two_errors(mean: float, se: float) -> str:
    return "b" if mean > 2 * se else "a" if mean < -2 * se else "undecided"


def variant(pair=differences, middle=lambda d: sum(d) / len(d), error=standard_error, decide=two_errors):
    """The comparison with a step changed: what is compared, its middle, its error, the verdict."""

    def compare_runs(a: Losses, b: Losses) -> tuple[float, float, str]:
        d = pair(a, b)
        mean, se = middle(d), error(d)
        return mean, se, decide(mean, se)

    return compare_runs


def room(a: Losses, b: Losses) -> float:
    """Rounding of float32 is no mistake."""
    return 1e5 * max(1.0, *a, *b)


def numbers(case: dict, subject: Subject) -> None:
    """The mean and its error, whatever the verdict."""
    expected = reference(**case)
    yours = value_of(subject.call(*case.values()))
    agree_in_kind(yours, KINDS, PARTS)
    agree(yours[:2], expected[:2], room(**case), PARTS)


EQUAL = equals(reference, room, PARTS)


def _pooled(a: Losses, b: Losses) -> tuple[float, float, str]:
    mean = sum(a) / len(a) - sum(b) / len(b)
    se = math.sqrt((spread(a) ** 2 + spread(b) ** 2) / len(a))
    return mean, se, two_errors(mean, se)


def _by_quotient(mean: float, se: float) -> str:
    return two_errors(mean / se, 1.0)


def _careful_quotient(mean: float, se: float) -> str:
    return "undecided" if se == 0 else _by_quotient(mean, se)


def _median(d: Losses) -> float:
    d, half = sorted(d), len(d) // 2
    return (d[half] + d[-half - 1]) / 2


def _in_place(a: Losses, b: Losses) -> tuple[float, float, str]:
    for i, y in enumerate(b):
        a[i] -= y
    return reference(a, [0.0] * len(a))


def _turned(answer: Callable) -> Callable:
    def compare_runs(a: Losses, b: Losses) -> tuple[float, float, str]:
        mean, se, verdict = answer(a, b)
        return mean, se, {"a": "b", "b": "a"}.get(verdict, verdict)

    return compare_runs


EXERCISE = Exercise(
    id="architecture.ablation",
    title="Better, or was it the seed?",
    answers=("compare_runs",),
    minutes=15,
    read=("q-why-choices",),
    properties=(
        Property("mean and error", 3, "the mean of a − b, seed by seed, and its standard error", any_runs, numbers),
        Property("verdict", 3, "'b' above two standard errors, 'a' below minus two, 'undecided' between", close_calls, EQUAL, 90),
        Property("paired", 2, "seeds far apart do not hide a difference that all of them show", same_side, EQUAL, 40),
        Property("one difference", 1, "the same difference in every seed decides, with an error of 0", one_difference, EQUAL, 30),
        Property("nothing changed", 1, "equal lists are undecided", nothing_changed, EQUAL, 20),
        Property("inputs unchanged", 1, "both lists are afterwards what they were", any_runs, leaves_lists(KINDS, PARTS), 20),
    ),
    mistakes=(
        Mistake("b − a; a − b is asked for, so that more than 0 speaks for b",
                variant(lambda a, b: differences(b, a), decide=lambda m, se: two_errors(-m, se))),
        Mistake("b − a all the way, so that the verdict is turned round too", lambda a, b: reference(b, a)),
        Mistake("a verdict for the higher loss: the lower one wins", _turned(reference)),
        Mistake("a pooled error, from the spread of a and that of b: what a seed does to both is counted as doubt",
                _pooled),
        Mistake("pairs by rank: both lists are sorted first, and no pair shares its seed any more",
                variant(lambda a, b: differences(sorted(a), sorted(b)))),
        Mistake("the spread of the differences; that of their mean is smaller by √n", variant(error=spread)),
        Mistake("std / n, where it is std / √n", variant(error=lambda d: spread(d) / len(d))),
        Mistake("the variance over n, without the root", variant(error=lambda d: spread(d) ** 2 / len(d))),
        Mistake("a deviation of n, not n − 1: it is too small, and most so with few seeds",
                variant(error=lambda d: spread(d, 0) / math.sqrt(len(d)))),
        Mistake("twice the standard error in the error's place: the two belongs to the verdict alone",
                variant(error=lambda d: 2 * standard_error(d), decide=lambda m, se: two_errors(m, se / 2))),
        Mistake("a verdict at one standard error: chance passes that once in three times",
                variant(decide=lambda m, se: two_errors(m, se / 2))),
        Mistake("a verdict at three standard errors, where two are asked for",
                variant(decide=lambda m, se: two_errors(m, 1.5 * se))),
        Mistake("a verdict by the sign of the mean alone: it is never undecided, save at exactly 0",
                variant(decide=lambda m, se: two_errors(m, 0.0))),
        Mistake("a verdict for b or for nobody: a may win as well",
                variant(decide=lambda m, se: "b" if m > 2 * se else "undecided")),
        Mistake("a winner where equal lists meet: 0 is not below 0",
                variant(decide=lambda m, se: "b" if m > 2 * se else "a" if m <= -2 * se else "undecided")),
        Mistake("mean / se, which divides by 0 where all differences are equal; compare mean with 2 se instead",
                variant(decide=_by_quotient), raises="ZeroDivisionError"),
        Mistake("no verdict where the error is 0: all seeds agree to the last digit, and nothing could be clearer",
                variant(decide=_careful_quotient)),
        Mistake("the median of the differences, where it is their mean", variant(middle=_median)),
        Mistake("a relative difference, (a − b) / a",
                variant(lambda a, b: [(x - y) / x for x, y in zip(a, b, strict=True)])),
        Mistake("the differences written over a, which belongs to the caller", _in_place),
    ),
    hints=(
        "Seed 3 may be unlucky for both. What is left of its bad luck in a[3] − b[3]? Work on the list of differences"
        " alone.",
        "The spread of a mean of n is std / √n, with n − 1 under the root of std. For the verdict compare the mean "
        "with 2 se rather than mean / se with 2: se may be 0.",
        "`d = [x - y for x, y in zip(a, b)]`, `mean = sum(d) / n`, `se = (sum((x - mean) ** 2 for x in d) / (n - 1) /"
        " n) ** 0.5`; then `mean > 2 * se` says 'b', `mean < -2 * se` says 'a'.",
    ),
    explanation=(
        "Pairing takes out what both runs of a seed share: their data, their order, their start. 'undecided' is no "
        "'equal': it says that these seeds cannot tell, and n seeds can tell nothing smaller than about 2 std / √n. "
        "Before you compare, say how many seeds you will run; who adds seeds until a verdict comes will get one."
    ),
    better=(
        "With n seeds, two standard errors are not 95 %: at n = 3 the t distribution asks for 4.3, at n = 5 for 2.8, "
        "at n = 20 for 2.1. `torch.tensor(d).std() / n**0.5` is the error in one line. And after twenty comparisons "
        "one verdict is expected from chance alone."
    ),
)
