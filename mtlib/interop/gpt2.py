"""GPT-2 (Radford et al. 2019), as transformers' GPT2LMHeadModel names it, and mtlib's DecoderLM.

Two things beyond names: its linear maps are kept (in, out), the transpose of torch's, and
queries, keys and values are one map side by side. The head is the token table again.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from torch import Tensor

from ..config import GPT2, ModelConfig
from ._config import activation, only
from ._table import State, Table, rows

LINEAR = {
    "attn.c_attn": ("attn.q_proj", "attn.k_proj", "attn.v_proj"),
    "attn.c_proj": "attn.o_proj",
    "mlp.c_fc": "ffn.w_in",
    "mlp.c_proj": "ffn.w_out",
}
NORMS = {"ln_1": "norm1", "ln_2": "norm2"}


def from_gpt2(state: Mapping[str, Tensor], config: ModelConfig) -> State:
    """A GPT2LMHeadModel's state dict under DecoderLM's names; ValueError names what does not fit."""
    return _table(config).to_ours(state)


def to_gpt2(state: Mapping[str, Tensor], config: ModelConfig) -> State:
    """The inverse of from_gpt2."""
    return _table(config).to_theirs(state)


def config_from_gpt2(config: Any) -> ModelConfig:
    """Our config for a transformers GPT2Config, which is only read; dropout is left at 0.

    >>> from types import SimpleNamespace
    >>> theirs = SimpleNamespace(vocab_size=9, n_positions=4, n_embd=8, n_head=2, n_layer=1, n_inner=None,
    ...     layer_norm_epsilon=1e-5, activation_function="gelu_new")
    >>> config_from_gpt2(theirs).parts == GPT2
    True
    """
    tied = getattr(config, "tie_word_embeddings", True)
    only(config, scale_attn_weights=True, scale_attn_by_inverse_layer_idx=False, add_cross_attention=False)
    return ModelConfig(
        vocab=config.vocab_size,
        max_len=config.n_positions,
        d_model=config.n_embd,
        n_heads=config.n_head,
        n_layers=config.n_layer,
        d_ff=config.n_inner,
        norm_eps=config.layer_norm_epsilon,
        parts=replace(GPT2, ffn=activation(config.activation_function), tied=tied),  # type: ignore[arg-type]  # a word of Parts
    )


def _table(config: ModelConfig) -> Table:
    top = "transformer.", ""
    found = [*rows({"wte": "tok", "wpe": "pos"}, top, bias=False), *rows({"ln_f": "norm"}, top)]
    for n in range(config.n_layers):
        under = f"transformer.h.{n}.", f"blocks.{n}."
        found += [*rows(LINEAR, under, transposed=True), *rows(NORMS, under)]  # type: ignore[arg-type]  # each a name or a tuple of names
    if not config.parts.tied:
        found += rows({"lm_head": "head"}, ("", ""), bias=False)
    # Older checkpoints carry the causal triangle of every layer along.
    layers = range(config.n_layers)
    triangles = tuple(f"transformer.h.{n}.attn.{name}" for n in layers for name in ("bias", "masked_bias"))
    copies = {"lm_head.weight": "transformer.wte.weight"} if config.parts.tied else {}
    return Table(tuple(found), copies=copies, unused=triangles)
