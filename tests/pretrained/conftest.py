"""SmolLM2 in the transformers library, from the same dequantised weights: what ours is held to."""

from typing import NamedTuple

import pytest
import torch
from tokenizers import Tokenizer
from torch import Tensor

from mtlib import assets
from mtlib._gguf import GGUF, LlamaSizes

_NAMES = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


class Reference(NamedTuple):
    """transformers' model in eval mode, the tokenizer, and the file's own weights and sizes."""

    model: torch.nn.Module
    tokenizer: Tokenizer
    raw: dict[str, Tensor]
    sizes: LlamaSizes


def halves(weight: Tensor, n_heads: int) -> Tensor:
    """Rows of q or k for rotary pairs (2i, 2i+1), put in the order for pairs (i, i + E/2)."""
    out, width = weight.shape
    return weight.view(n_heads, out // n_heads // 2, 2, width).transpose(1, 2).reshape(out, width)


@pytest.fixture(scope="session")
def hf_smollm2() -> Reference:
    """A few seconds and 1.1 GB at the peak, once a run; model and raw share the memory of all but q and k."""
    from transformers import LlamaConfig, LlamaForCausalLM

    assets.fetch("smollm2")
    file = GGUF(assets.path("smollm2", "model.gguf"))
    sizes, raw = file.sizes(), file.weights()
    config = LlamaConfig(
        vocab_size=sizes.vocab, hidden_size=sizes.d_model, intermediate_size=sizes.d_ff, num_hidden_layers=sizes.n_layers,
        num_attention_heads=sizes.n_heads, num_key_value_heads=sizes.n_kv_heads, max_position_embeddings=sizes.max_len,
        rms_norm_eps=sizes.norm_eps, rope_parameters={"rope_type": "default", "rope_theta": sizes.rotary_base},
        tie_word_embeddings=True, attn_implementation="eager",
    )
    state = {"model.embed_tokens.weight": raw["token_embd.weight"], "model.norm.weight": raw["output_norm.weight"]}
    state["lm_head.weight"] = raw["token_embd.weight"]
    for layer in range(sizes.n_layers):
        for ours, theirs in _NAMES.items():
            state[f"model.layers.{layer}.{theirs}.weight"] = raw[f"blk.{layer}.{ours}.weight"]
        for ours, n_heads in ("attn_q", sizes.n_heads), ("attn_k", sizes.n_kv_heads):
            state[f"model.layers.{layer}.{_NAMES[ours]}.weight"] = halves(raw[f"blk.{layer}.{ours}.weight"], n_heads)
    with torch.device("meta"):
        model = LlamaForCausalLM(config)
    model.load_state_dict(state, strict=True, assign=True)
    model.tie_weights()
    model.model.rotary_emb = type(model.model.rotary_emb)(config)  # its angles are no weights: not in any file
    return Reference(model.eval(), file.tokenizer(), raw, sizes)
