"""The FFN: the bend, the network around it, its gated form, and how to catch a function that bends."""

CHAPTER = "08_ffn"
ORDER = (
    "is_linear",
    "gelu",
    "feed_forward",
    "swiglu",
)
