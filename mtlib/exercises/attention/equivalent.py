"""Mutants of the solutions that are right answers: for each exercise, the change and why it changes nothing.

The names are those of `mtlib.grading.mutants`. A test holds that each is still a mutant and still passes.
"""

EQUIVALENT = {
    "attention.padding_keep": {
        "padding_keep: (:, None, None, :) -> (:, None, None)": "an axis that is not named is taken whole",
    },
    "attention.heads": {
        "merge_heads: -2 -> 2": "x has four axes, so the last but one is the one of number 2",
    },
    "attention.hand_built_head": {
        "previous_token_head: 20.0 * math.sqrt(d_pos) * asks -> asks * (20.0 * math.sqrt(d_pos))": "a product commutes",
        "previous_token_head: 20.0 * math.sqrt(d_pos) -> math.sqrt(d_pos) * 20.0": "a product commutes",
        "previous_token_head: 20.0 -> 21.0 in 20.0 * math.sqrt(d_pos)": "any scale from about 11 up is loud enough",
    },
    "attention.picture": {
        "picture: rows * columns -> columns * rows": "a product commutes",
    },
}
