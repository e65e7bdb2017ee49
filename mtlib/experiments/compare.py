"""Is a difference between two variants more than luck?"""

from collections.abc import Sequence
from math import comb


def mcnemar_exact(a: Sequence[bool], b: Sequence[bool]) -> float:
    """Two-sided p of McNemar's exact test: run i solved it with variant a, with variant b.

    The runs are paired (same seed, same data), so only the pairs that differ speak. If neither
    variant were better, each of these would fall either way like a fair coin; p is how often
    coins part the two so far or further. Source: McNemar 1947, Psychometrika 12.

    >>> mcnemar_exact([True] * 6, [False] * 5 + [True])  # five differ, all one way: 2 in 32
    0.0625
    """
    if len(a) != len(b):
        raise ValueError(f"{len(a)} runs of one variant and {len(b)} of the other; they must be paired by seed")
    only_a = sum(x and not y for x, y in zip(a, b))
    only_b = sum(y and not x for x, y in zip(a, b))
    differ, fewer = only_a + only_b, min(only_a, only_b)
    return min(1.0, 2 * sum(comb(differ, k) for k in range(fewer + 1)) / 2**differ)
