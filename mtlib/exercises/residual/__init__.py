"""Residuals: two norms, the two ways to wire them, and how much of a gradient goes straight through."""

CHAPTER = "07_residuals"
ORDER = (
    "layer_norm",
    "rms_norm",
    "wire",
    "gradient_share",
)
