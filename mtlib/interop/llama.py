"""Llama (Touvron et al. 2023) and what follows its plan, as transformers' LlamaForCausalLM, and mtlib's DecoderLM.

Names, one to one. Its rotary pairs are columns i and i + E/2, Parts(position="rotary-halves"); for a
model of pairs (2i, 2i+1), Parts(position="rotary"), the rows of q_proj and k_proj change places.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from torch import Tensor

from ..config import LLAMA, ModelConfig
from ._config import GATED, activation, only
from ._table import State, Table, rows

LINEAR = {
    "self_attn.q_proj": "attn.q_proj",
    "self_attn.k_proj": "attn.k_proj",
    "self_attn.v_proj": "attn.v_proj",
    "self_attn.o_proj": "attn.o_proj",
    "mlp.gate_proj": "ffn.w_gate",
    "mlp.up_proj": "ffn.w_in",
    "mlp.down_proj": "ffn.w_out",
}
NORMS = {"input_layernorm": "norm1", "post_attention_layernorm": "norm2"}


def from_llama(state: Mapping[str, Tensor], config: ModelConfig) -> State:
    """A LlamaForCausalLM's state dict under DecoderLM's names; ValueError names what does not fit."""
    return _turned(_table(config).to_ours(state), config, to_halves=False)


def to_llama(state: Mapping[str, Tensor], config: ModelConfig) -> State:
    """The inverse of from_llama."""
    return _table(config).to_theirs(_turned(state, config, to_halves=True))


def config_from_llama(config: Any) -> ModelConfig:
    """Our config for a transformers LlamaConfig, which is only read; dropout is left at 0.

    ValueError where it asks for what DecoderLM has not: angles stretched for long texts, heads
    of another width than d_model / n_heads, biases in attention but not in the FFN.
    """
    rope = getattr(config, "rope_parameters", None) or {"rope_theta": getattr(config, "rope_theta", 10_000.0)}
    if rope.get("rope_type", "default") != "default" or getattr(config, "rope_scaling", None) not in (None, rope):
        raise ValueError(f"config stretches its rotary angles, {rope}; only rope_type='default' has a counterpart here")
    only(config, head_dim=config.hidden_size // config.num_attention_heads, mlp_bias=config.attention_bias)
    parts = replace(
        LLAMA,
        ffn=activation(config.hidden_act, GATED),  # type: ignore[arg-type]  # a word of Parts
        bias=config.attention_bias,
        tied=config.tie_word_embeddings,
        rotary_base=rope["rope_theta"],
    )
    return ModelConfig(
        vocab=config.vocab_size,
        max_len=config.max_position_embeddings,
        d_model=config.hidden_size,
        n_heads=config.num_attention_heads,
        n_layers=config.num_hidden_layers,
        n_kv_heads=config.num_key_value_heads,
        d_ff=config.intermediate_size,
        norm_eps=config.rms_norm_eps,
        parts=parts,
    )


def _turned(state: Mapping[str, Tensor], config: ModelConfig, *, to_halves: bool) -> State:
    """Our state, its rows of queries and keys from pairs to halves or back where this config has pairs."""
    if config.parts.position not in ("rotary", "rotary-halves"):
        raise ValueError(f"position={config.parts.position!r} has no counterpart in Llama; it must be 'rotary' or 'rotary-halves'")
    if config.parts.position == "rotary-halves":
        return dict(state)
    E = config.head_width
    into = (E // 2, 2) if to_halves else (2, E // 2)
    return {
        name: x.unflatten(0, (-1, *into)).transpose(1, 2).reshape(x.shape) if ".attn.q_proj." in name or ".attn.k_proj." in name else x
        for name, x in state.items()
    }


def _table(config: ModelConfig) -> Table:
    found = [*rows({"model.embed_tokens": "tok", "model.norm": "norm"}, ("", ""), bias=False)]
    for n in range(config.n_layers):
        under = f"model.layers.{n}.", f"blocks.{n}."
        found += [*rows(LINEAR, under, bias=config.parts.bias), *rows(NORMS, under, bias=False)]
    if config.parts.tied:
        return Table(tuple(found), copies={"lm_head.weight": "model.embed_tokens.weight"})
    return Table((*found, *rows({"lm_head": "head"}, ("", ""), bias=False)))
