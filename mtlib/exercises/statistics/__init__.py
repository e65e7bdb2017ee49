"""Statistics: shares from scores, the price of a surprise, and how far a dot product strays."""

ORDER = (
    "softmax",
    "cross_entropy",
    "dot_variance",
)
