"""The encoder: ids to vectors, letters to tokens, vectors to a verdict."""

CHAPTER = "03_encoder"
ORDER = ("byte_pair_merges", "embed", "classify")
