"""Mutants of the solutions that are right answers: for each exercise, the change and why it changes nothing.

The names are those of `mtlib.grading.mutants`. A test holds that each is still a mutant and still passes.
"""

EQUIVALENT = {
    "encoder.classify": {
        "classify: mean @ w + b -> b + mean @ w": "a sum commutes",
        "classify: -1 -> 1": "a matrix's last axis is axis 1",
    },
}
