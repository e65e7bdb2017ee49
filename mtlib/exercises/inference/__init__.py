"""Inference: how the next token is chosen, what is kept of the past, and guesses that are checked."""

CHAPTER = "13_inference"
ORDER = (
    "temperature",
    "top_k",
    "top_p",
    "min_p",
    "cached_step",
    "beam",
    "speculative",
)
