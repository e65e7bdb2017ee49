"""The size in letters of everything in a model: every named value, every parameter.

    core.scores     B H T T_k      a value
    ffn.w_in        F D            a parameter (torch keeps a matrix as out × in)

One axis can hold two letters: H·E are H heads of width E side by side. T_k is the number of
positions that are attended to: T in self-attention, S in attention to a memory.
"""

from collections.abc import Mapping
from math import prod
from typing import NamedTuple

from .config import ModelConfig

WORDS = {
    "B": "batch", "T": "positions", "S": "source positions", "D": "d_model", "H": "heads",
    "G": "heads of keys and values", "E": "head width", "F": "FFN width", "V": "vocabulary", "C": "classes",
    "L": "layers", "M": "rows of the position table",
}  # fmt: skip
T5_BUCKETS = 32  # what RelativeBias has unless told otherwise


class Value(NamedTuple):
    """A value's name, its shape in letters, and what it is in a few words."""

    name: str
    letters: str
    meaning: str


VALUES = {
    "tok": Value("embedded", "B T D", "each id's row of the token table"),
    "pos": Value("positioned", "B T D", "with its position, as POSITIONED says"),
    "norm": Value("norm", "B T D", "each position brought to the same scale"),
    "norm1": Value("norm1", "B T D", "each position brought to the same scale"),
    "q_proj": Value("q_proj", "B T H·E", "what each position asks, all heads side by side"),
    "k_proj": Value("k_proj", "B T_k G·E", "what each position answers to"),
    "v_proj": Value("v_proj", "B T_k G·E", "what each position hands over"),
    "q": Value("q", "B H T E", "queries, a head apart"),
    "k": Value("k", "B G T_k E", "keys, a head apart"),
    "v": Value("v", "B G T_k E", "values, a head apart"),
    "core.scores": Value("scores", "B H T T_k", "q · k / √E for every pair of positions"),
    "core.weights": Value("weights", "B H T T_k", "softmax of the scores: each row sums to 1"),
    "core": Value("heads", "B H T E", "weights @ v: each head's average of the values"),
    "merged": Value("merged", "B T H·E", "the heads side by side again"),
    "attn": Value("attention_out", "B T D", "the heads mixed by o_proj"),
    "cross_attn": Value("cross_attention_out", "B T D", "the heads mixed by o_proj"),
    "resid_mid": Value("resid_mid", "B T D", "residual stream: attention's change is in"),
    "norm_cross": Value("norm_cross", "B T D", "each position brought to the same scale"),
    "resid_cross": Value("resid_cross", "B T D", "residual stream: the memory's change is in"),
    "norm2": Value("norm2", "B T D", "each position brought to the same scale"),
    "ffn.w_gate": Value("w_gate", "B T F", "widened, for the gate"),
    "ffn.w_in": Value("w_in", "B T F", "widened"),
    "ffn.hidden": Value("ffn_hidden", "B T F", "bent by the activation"),
    "ffn": Value("ffn_out", "B T D", "back to the width of the stream"),
    "resid_post": Value("resid_post", "B T D", "residual stream: the FFN's change is in"),
    "pool.weights": Value("pool_weights", "B T", "how much each position decides"),
    "pool": Value("pooled", "B D", "one vector for the whole text"),
    "logits": Value("logits", "B T V", "a score for every token that may come next"),
}
CLASSES = Value("logits", "B C", "a score for every class")

POSITIONED = {
    "none": "as it was: no position enters",
    "learned": "plus the learned row of its position",
    "sinusoidal": "times √D, plus the waves of its position",
    "grid": "plus the waves of its row and of its column",
    "rotary": "as it was: rotary turns q and k, in every block",
    "rotary-halves": "as it was: rotary turns q and k, in every block",
    "t5": "as it was: the distance enters at the scores",
    "alibi": "as it was: the distance enters at the scores",
}

# A bias has the first axis alone: what goes out.
WEIGHTS = {
    "tok": "V D",
    "pos": "M D",
    "q_proj": "H·E D",
    "k_proj": "G·E D",
    "v_proj": "G·E D",
    "o_proj": "D H·E",
    "ffn.w_gate": "F D",
    "ffn.w_in": "F D",
    "ffn.w_out": "D F",
    "norm1": "D",
    "norm_cross": "D",
    "norm2": "D",
    "norm": "D",
    "pool": "D",
    "head": "V D",
}


def sizes(config: ModelConfig, **more: int) -> dict[str, int]:
    """The number behind every letter that the config knows, and `more`: B, T, S or C."""
    c = config
    known = {"D": c.d_model, "H": c.n_heads, "G": c.kv_heads, "E": c.head_width, "F": c.ff_width}
    return {**more, **known, "L": c.n_layers, "V": c.vocab, "M": c.max_len}


def shape(letters: str, size: Mapping[str, int]) -> tuple[int, ...]:
    """Letters in numbers.

    >>> shape("B T H·E", {"B": 1, "T": 100, "H": 8, "E": 16})
    (1, 100, 128)
    """
    return tuple(
        prod(int(f) if f.isdigit() else size[f] for f in axis.split("·")) for axis in letters.split()
    )
