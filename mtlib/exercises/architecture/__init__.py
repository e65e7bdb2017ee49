"""Architecture: whether a difference is one, what a larger model would lose, and attention as a dictionary."""

CHAPTER = "15_architecture"
ORDER = (
    "ablation",
    "scaling_fit",
    "retrieval",
)
