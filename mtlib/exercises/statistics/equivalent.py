"""Mutants of the solutions that are right answers: for each exercise, the change and why it changes nothing.

The names are those of `mtlib.grading.mutants`. A test holds that each is still a mutant and still passes.
"""

EQUIVALENT = {
    "statistics.cross_entropy": {
        "cross_entropy: surprise * kept -> kept * surprise": "a product commutes",
    },
    "statistics.dot_variance": {
        "dot_variance: d * term -> term * d": "a product commutes",
        "dot_variance: var_q * var_k -> var_k * var_q": "a product commutes",
        "dot_variance: var_q * mean_k ** 2 -> mean_k ** 2 * var_q": "a product commutes",
        "dot_variance: var_k * mean_q ** 2 -> mean_q ** 2 * var_k": "a product commutes",
        "dot_variance: var_q * var_k + var_q * mean_k ** 2 -> var_q * mean_k ** 2 + var_q * var_k": "a sum commutes",
        "dot_variance: var_q * var_k + var_q * mean_k ** 2 + var_k * mean_q ** 2 -> "
        "var_k * mean_q ** 2 + (var_q * var_k + var_q * mean_k ** 2)": "a sum commutes",
    },
}
