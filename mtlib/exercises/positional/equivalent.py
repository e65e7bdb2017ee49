"""Mutants of the solutions that are right answers: for each exercise, the change and why it changes nothing.

The names are those of `mtlib.grading.mutants`. A test holds that each is still a mutant and still passes.
"""

EQUIVALENT = {
    "positional.shift": {
        "shift_matrix: i + 1 -> 1 + i": "a sum commutes",
    },
    "positional.alibi": {
        "alibi_bias: n_heads & n_heads - 1 -> n_heads - 1 & n_heads": "a bitwise and commutes",
        "alibi_bias: -slopes[:, None, None] * distance -> distance * -slopes[:, None, None]": "a product commutes",
        "alibi_bias: places - places[T_k - T_q:, None] -> places[T_k - T_q:, None] - places": "the sign is lost in abs()",
        "alibi_bias: -8 * h -> h * -8": "a product commutes",
        "alibi_bias: n_heads + 1 -> 1 + n_heads": "a sum commutes",
    },
    "positional.t5_bucket": {
        "relative_bucket: exact + (share * (per_side - exact)).long() -> (share * (per_side - exact)).long() + exact": "a sum commutes",
        "relative_bucket: bucket + per_side * (offset > 0) -> per_side * (offset > 0) + bucket": "a sum commutes",
        "relative_bucket: per_side * (offset > 0) -> (offset > 0) * per_side": "a product commutes",
        "relative_bucket: share * (per_side - exact) -> (per_side - exact) * share": "a product commutes",
        "relative_bucket: distance < exact -> distance <= exact": "at the distance `exact` the logarithm is 0, and both ways give bucket `exact`",
        "relative_bucket: distance.clamp(min=exact) -> distance": "what the logarithm gives below `exact` is not taken",
    },
    "positional.rotary": {
        "rotary: positions[:, None] * base ** (-twice_i / E) -> base ** (-twice_i / E) * positions[:, None]": "a product commutes",
        "rotary: x0 * sin + x1 * cos -> x1 * cos + x0 * sin": "a sum commutes",
        "rotary: x0 * cos -> cos * x0": "a product commutes",
        "rotary: x1 * sin -> sin * x1": "a product commutes",
        "rotary: x0 * sin -> sin * x0": "a product commutes",
        "rotary: x1 * cos -> cos * x1": "a product commutes",
    },
    "positional.grid": {
        "grid_encoding: height * width -> width * height": "a product commutes",
    },
}
