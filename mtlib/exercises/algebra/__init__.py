"""Algebra: a matrix that turns, lists that meet, and what a direction sees of a vector."""

CHAPTER = "04_algebra"
ORDER = (
    "turn",
    "similarity",
    "projection",
)
