"""Statistics: shares from scores, the price of a surprise, and how far a dot product strays."""

CHAPTER = "05_statistics"
ORDER = (
    "softmax",
    "cross_entropy",
    "dot_variance",
)
