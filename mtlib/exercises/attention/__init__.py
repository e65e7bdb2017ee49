"""Attention: from one dot product to a picture of every head, in the order of the notebook."""

CHAPTER = "06_attention"
ORDER = (
    "scores",
    "scaled_dot_product",
    "causal_keep",
    "padding_keep",
    "heads",
    "multi_head",
    "grouped",
    "hand_built_head",
    "picture",
)
