"""Small notebooks for the tests of `mtlib grade`."""

import json
from pathlib import Path

SCORES = "def scores(q, k):\n    return q @ k.mT / q.shape[-1] ** 0.5"
CAUSAL = """def causal_keep(T_q, T_k):
    if not 1 <= T_q <= T_k:
        raise ValueError("sizes")
    return torch.ones(T_q, T_k, dtype=torch.bool).tril(T_k - T_q)"""
PADDING = "def padding_keep(ids, pad):\n    return (ids != pad)[:, None, None, :]"
IMPORTS = "import os, sys, math, torch\nfrom torch import nn\nfrom mtlib.grading import check, hint"
CHECK = 'check("attention.scores", scores)\n# hint("attention.scores")'
ANSWERS = {"attention.scores": SCORES, "attention.causal_keep": CAUSAL, "attention.padding_keep": PADDING}


def write(path: Path, *cells: str, **metadata) -> Path:
    """A notebook of these code cells."""
    rows = [{"cell_type": "code", "source": c, "metadata": {}, "outputs": [], "execution_count": None} for c in cells]
    book = {"cells": rows, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(book), encoding="utf-8")
    return path


def with_answers(path: Path, *extra: str, first: tuple[str, ...] = (), **instead: str) -> Path:
    """Three right answers and their imports, an answer replaced by name (scores=…), further cells before or after."""
    answers = {"scores": SCORES, "causal_keep": CAUSAL, "padding_keep": PADDING} | instead
    return write(path, IMPORTS, *first, *answers.values(), *extra)
