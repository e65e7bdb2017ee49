"""Objectives: what a model is asked for, made out of plain ids and plain vectors."""

CHAPTER = "10_dimensions"
ORDER = ("mlm_batch", "info_nce")
