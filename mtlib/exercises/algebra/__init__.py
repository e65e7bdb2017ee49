"""Algebra: a matrix that turns, lists that meet, and what a direction sees of a vector."""

ORDER = (
    "turn",
    "similarity",
    "projection",
)
