"""Is a difference between two variants more than luck?"""

from math import comb


def fisher_exact(a: int, n_a: int, b: int, n_b: int) -> float:
    """Two-sided p of Fisher's exact test: a of n_a solved it with one variant, b of n_b with another.

    The share of all ways to deal a + b successes to the two groups that are no likelier than
    the one seen. Source: Fisher 1935, The Design of Experiments, the lady tasting tea.

    >>> round(fisher_exact(4, 4, 0, 4), 4)  # the lady, four cups of each kind, all right
    0.0286
    """
    if not (0 <= a <= n_a and 0 <= b <= n_b):
        raise ValueError(f"{a} of {n_a} and {b} of {n_b}: successes must lie between 0 and the number of runs")
    solved = a + b
    ways = {i: comb(n_a, i) * comb(n_b, solved - i) for i in range(max(0, solved - n_b), min(n_a, solved) + 1)}
    return sum(w for w in ways.values() if w <= ways[a]) / comb(n_a + n_b, solved)
