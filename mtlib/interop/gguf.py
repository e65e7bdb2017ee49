"""A Llama as a GGUF file names it (the ggml project's format), and mtlib's DecoderLM.

Names only, one to one, from the file to us. The file keeps the rows of q and k in the order of
rotary pairs (2i, 2i+1): Parts(position="rotary").
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from torch import Tensor

from ..config import LLAMA, ModelConfig
from ._table import State, Table, rows

LINEAR = {
    "attn_q": "attn.q_proj",
    "attn_k": "attn.k_proj",
    "attn_v": "attn.v_proj",
    "attn_output": "attn.o_proj",
    "ffn_gate": "ffn.w_gate",
    "ffn_up": "ffn.w_in",
    "ffn_down": "ffn.w_out",
}
NORMS = {"attn_norm": "norm1", "ffn_norm": "norm2"}


def from_gguf(weights: Mapping[str, Tensor], config: ModelConfig) -> State:
    """A GGUF Llama's weights under DecoderLM's names; ValueError names what does not fit."""
    found = [*rows({"token_embd": "tok", "output_norm": "norm"}, ("", ""), bias=False)]
    for n in range(config.n_layers):
        under = f"blk.{n}.", f"blocks.{n}."
        found += [*rows(LINEAR, under, bias=False), *rows(NORMS, under, bias=False)]
    if not config.parts.tied:
        found += rows({"output": "head"}, ("", ""), bias=False)
    return Table(tuple(found)).to_ours(weights)


def config_from_gguf(sizes: Any, *, tied: bool) -> ModelConfig:
    """Our config for the sizes in a GGUF file's head; tied when the file holds no head of its own."""
    parts = replace(LLAMA, position="rotary", tied=tied, rotary_base=sizes.rotary_base)
    names = ("vocab", "max_len", "d_model", "n_heads", "n_kv_heads", "n_layers", "d_ff", "norm_eps")
    return ModelConfig(**{name: getattr(sizes, name) for name in names}, parts=parts)
