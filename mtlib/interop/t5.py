"""T5 (Raffel et al. 2020), as transformers' T5ForConditionalGeneration, and mtlib's EncoderDecoder.

Beyond names, two factors that T5 leaves out or adds are multiplied into the weights:

    scores       T5 does not divide by √E, ours do:                q_proj  = √E · q
    logits       tied, T5 shrinks the decoder's output by 1/√D:    norm    = final_layer_norm / √D

The position bias is layer 0's in T5's files, and serves every layer; here it is `pos`.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from torch import Tensor

from ..config import T5, ModelConfig
from ._config import ACTIVATIONS, GATED, activation, only
from ._table import State, Table, rows

ATTENTION = {"q": "q_proj", "k": "k_proj", "v": "v_proj", "o": "o_proj"}
PLAIN = {"wi": "w_in", "wo": "w_out"}
WITH_GATE = {"wi_0": "w_gate", "wi_1": "w_in", "wo": "w_out"}
NORMS = {"encoder": ("norm1", "norm2"), "decoder": ("norm1", "norm_cross", "norm2")}


def from_t5(state: Mapping[str, Tensor], config: ModelConfig) -> State:
    """A T5ForConditionalGeneration's state dict under EncoderDecoder's names; ValueError names what does not fit."""
    return _scaled(_table(config).to_ours(state), config, to_ours=True)


def to_t5(state: Mapping[str, Tensor], config: ModelConfig) -> State:
    """The inverse of from_t5."""
    return _table(config).to_theirs(_scaled(state, config, to_ours=False))


def config_from_t5(config: Any) -> ModelConfig:
    """Our config for a transformers T5Config, which is only read; dropout is left at 0.

    max_len has no meaning in T5, which knows only distances: it becomes the distance from
    where on all is one bucket. ValueError for heads of another width than d_model / n_heads,
    as T5's largest have, and for unequal depths of encoder and decoder.
    """
    act, gated = config.dense_act_fn, config.is_gated_act
    only(config, d_kv=config.d_model // config.num_heads, num_decoder_layers=config.num_layers)
    only(config, relative_attention_num_buckets=32, relative_attention_max_distance=128)
    # T5 scales where the head is tied; version 1.1 does neither. Newer configs keep only the word on scaling.
    tied = getattr(config, "scale_decoder_outputs", config.tie_word_embeddings)
    return ModelConfig(
        vocab=config.vocab_size,
        max_len=config.relative_attention_max_distance,
        d_model=config.d_model,
        n_heads=config.num_heads,
        n_layers=config.num_layers,
        d_ff=config.d_ff,
        norm_eps=config.layer_norm_epsilon,
        parts=replace(T5, ffn=activation(act, GATED if gated else ACTIVATIONS), tied=tied),  # type: ignore[arg-type]  # a word of Parts
    )


def _table(config: ModelConfig) -> Table:
    found = [*rows({"shared": "decoder.tok"}, ("", ""), bias=False)]
    for side in NORMS:
        once = {"block.0.layer.0.SelfAttention.relative_attention_bias": "pos", "final_layer_norm": "norm"}
        found += rows(once, (f"{side}.", f"{side}."), bias=False)
        for n in range(config.n_layers):
            found += rows(_block(side, config), (f"{side}.block.{n}.layer.", f"{side}.blocks.{n}."), bias=False)
    copies = {f"{side}.embed_tokens.weight": "shared.weight" for side in NORMS}
    our_copies = {"encoder.tok.weight": "decoder.tok.weight"}
    if config.parts.tied:
        return Table(tuple(found), copies | {"lm_head.weight": "shared.weight"}, our_copies=our_copies)
    return Table((*found, *rows({"lm_head": "decoder.head"}, ("", ""), bias=False)), copies, our_copies=our_copies)


def _block(side: str, config: ModelConfig) -> dict[str, str]:
    """The modules of one block: theirs are numbered sublayers, each with its norm, the FFN the last."""
    names = {f"{n}.layer_norm": norm for n, norm in enumerate(NORMS[side])}
    names |= {f"0.SelfAttention.{theirs}": f"attn.{ours}" for theirs, ours in ATTENTION.items()}
    if side == "decoder":
        names |= {f"1.EncDecAttention.{theirs}": f"cross_attn.{ours}" for theirs, ours in ATTENTION.items()}
    ffn = WITH_GATE if config.parts.ffn in GATED.values() else PLAIN
    return names | {f"{len(NORMS[side]) - 1}.DenseReluDense.{theirs}": f"ffn.{ours}" for theirs, ours in ffn.items()}


def _scaled(state: Mapping[str, Tensor], config: ModelConfig, *, to_ours: bool) -> State:
    """Into our weights the two factors, or out of them again."""
    sign = 1 if to_ours else -1
    asks, says = config.head_width ** (sign / 2), config.d_model ** (-sign / 2)
    factor = {name: asks for name in state if name.endswith("q_proj.weight")}
    if config.parts.tied:
        factor["decoder.norm.weight"] = says
    return {name: value * factor[name] if name in factor else value for name, value in state.items()}
