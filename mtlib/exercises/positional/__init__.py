"""Position: waves to add, the matrix that moves them on, and what turns or biases the scores instead."""

CHAPTER = "09_positional_encoding"
ORDER = (
    "sinusoidal",
    "shift",
    "rotary",
    "alibi",
    "t5_bucket",
    "grid",
)
