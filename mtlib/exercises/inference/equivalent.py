"""Mutants of the solutions that are right answers: for each exercise, the change and why it changes nothing.

The names are those of `mtlib.grading.mutants`. A test holds that each is still a mutant and still passes.
"""

UNPROMISED = "on a CPU torch happens to keep equals in order; only stable=True promises it"

EQUIVALENT = {
    "inference.top_p": {
        "top_p: shares.cumsum(-1) - shares >= p -> shares.cumsum(-1) - shares > p": (
            "no sum is drawn within 1e-4 of p; at p = 0 it is the first alone, which stays anyway"
        ),
        "top_p: (-logits).argsort(dim=-1, stable=True) -> (-logits).argsort(stable=True)": "the last axis is argsort's own",
        "top_p: (-logits).argsort(dim=-1, stable=True) -> (-logits).argsort(dim=-1)": UNPROMISED,
        "top_p: True -> False in (-logits).argsort(dim=-1, stable=True)": UNPROMISED,
    },
    "inference.min_p": {
        "min_p: p * shares.amax(-1, keepdim=True) -> shares.amax(-1, keepdim=True) * p": "a product commutes",
    },
    "inference.beam": {
        "beam_search: total + step -> step + total": "a sum commutes",
    },
    "inference.speculative": {
        "accept: uniforms[i] >= p[tokens[i]] / q[tokens[i]] -> uniforms[i] > p[tokens[i]] / q[tokens[i]]": (
            "no uniform is drawn within 1e-4 of its ratio"
        ),
    },
}
