"""Mutants of the solutions that are right answers: for each exercise, the change and why it changes nothing.

The names are those of `mtlib.grading.mutants`. A test holds that each is still a mutant and still passes.
"""

EQUIVALENT = {
    "algebra.similarity": {
        "cosine_similarity.unit: x / torch.where(some, length, 1.0) * some -> some * (x / torch.where(some, length, 1.0))": (
            "a product commutes"
        ),
        "cosine_similarity.unit: -1 -> 1": "x has two axes, so the last is the one of number 1",
        "cosine_similarity.unit: 1.0 -> 2.0 in torch.where(some, length, 1.0)": "0 over any number is 0",
    },
}
