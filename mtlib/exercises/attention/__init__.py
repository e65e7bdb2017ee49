"""Attention: from one dot product to grouped heads."""

ORDER = ("scores",)
