"""Dimensions: every shape, every parameter, every multiplication, and how heads are merged."""

CHAPTER = "10_dimensions"
ORDER = (
    "shapes",
    "merge",
    "parameters",
    "flops",
)
