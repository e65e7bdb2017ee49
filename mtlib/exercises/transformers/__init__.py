"""The three shapes: which position may use which."""

CHAPTER = "01_transformers"
ORDER = ("sees",)
