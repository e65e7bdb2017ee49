"""Tiny random models of the transformers library, and how to build and call their twins of ours."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import torch
import transformers as hf
from torch import Tensor, nn

import mtlib as mt
from mtlib import interop

TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-10}
V, T, D, H, F = 23, 8, 24, 4, 20
IDS = torch.tensor([[3, 1, 4, 1, 5, 9, 2], [2, 7, 18, 2, 8, 0, 0]])  # the second row ends in padding
WRITTEN = 5  # how many of the same ids a decoder that looks at a source is given


class MaskedLM(nn.Module):
    """Encoder and head, under the names that from_bert_mlm gives."""

    def __init__(self, config: mt.ModelConfig):
        super().__init__()
        self.encoder = mt.Encoder(config)
        self.head = mt.MaskedTokenHead(config.vocab, config.d_model, eps=config.norm_eps)

    def forward(self, ids: Tensor, keep: Tensor | None = None) -> Tensor:
        return self.head(self.encoder(ids, keep), self.encoder.tok.weight)


class Family(NamedTuple):
    """Both sides of one family; `ours` and the three functions of mtlib.interop."""

    model: type
    settings: dict[str, Any]
    read: Callable[[Any], mt.ModelConfig]
    from_theirs: Callable
    to_theirs: Callable
    ours: Callable[[mt.ModelConfig], nn.Module]

    def build(self, dtype: torch.dtype = torch.float64) -> tuple[nn.Module, nn.Module, mt.ModelConfig]:
        """Theirs with random weights, ours with others, and our config."""
        config = self.model.config_class(**self.settings, attn_implementation="sdpa", bos_token_id=None, eos_token_id=None)
        theirs = self.model(config).to(dtype).eval()
        # Before version 5 the head of T5 1.1 had numbers of its own; now it is tied whatever the config says.
        if self.settings.get("tie_word_embeddings") is False and theirs.config.tie_word_embeddings:
            theirs.lm_head.weight = nn.Parameter(torch.randn_like(theirs.lm_head.weight))
        config = self.read(theirs.config)
        ours = self.ours(config).to(dtype).eval()
        randomise(theirs)
        randomise(ours)
        return exact(theirs) if dtype == torch.float64 else theirs, ours, config

    @property
    def seq2seq(self) -> bool:
        return self.ours is mt.EncoderDecoder

    def call_theirs(self, model: nn.Module, mask: Tensor | None = None) -> Tensor:
        if not self.seq2seq:
            return model(IDS, attention_mask=mask).logits
        written = None if mask is None else mask[:, :WRITTEN]
        out = model(input_ids=IDS, attention_mask=mask, decoder_input_ids=IDS[:, :WRITTEN], decoder_attention_mask=written)
        return out.logits

    def arguments(self, keep: Tensor | None = None) -> tuple[Tensor | None, ...]:
        """What our model is called with."""
        if not self.seq2seq:
            return IDS, keep
        return IDS, IDS[:, :WRITTEN], keep, None if keep is None else keep[..., :WRITTEN]


def randomise(model: nn.Module) -> None:
    """Weights far from where training starts, so that norms, biases and tables all matter."""
    with torch.no_grad():
        for p in model.parameters():
            p.add_(torch.randn_like(p), alpha=0.1)


def exact(theirs: nn.Module) -> nn.Module:
    """Transformers' RMS norms and rotary angles are computed in float32 even in a model of doubles; here not.

    Nothing else is changed, and only for the comparison within 1e-10.
    """
    for module in theirs.modules():
        if type(module).__name__ in ("LlamaRMSNorm", "T5LayerNorm"):
            module.forward = lambda x, m=module: (
                m.weight * x * (x.square().mean(-1, keepdim=True) + m.variance_epsilon).rsqrt()
            )
        if type(module).__name__ == "LlamaRotaryEmbedding":
            base, E = module.config.rope_parameters["rope_theta"], D // H
            speeds = base ** -(torch.arange(0, E, 2, dtype=torch.float64) / E)

            def angles(x, position_ids, speeds=speeds):
                turns = (position_ids[..., None] * speeds).repeat(1, 1, 2)
                return turns.cos(), turns.sin()

            module.forward = angles
    return theirs


_GPT2 = dict(vocab_size=V, n_positions=T, n_embd=D, n_layer=2, n_head=H, n_inner=F)
_BERT = dict(
    vocab_size=V, max_position_embeddings=T, hidden_size=D, num_hidden_layers=2, num_attention_heads=H, intermediate_size=F,
    pad_token_id=None,  # or their table would learn nothing for token 0
)
_LLAMA = {**_BERT, "num_key_value_heads": 2}
_T5 = dict(vocab_size=V, d_model=D, d_kv=D // H, num_heads=H, num_layers=2, d_ff=F, decoder_start_token_id=0)


def _gpt2(**more: Any) -> Family:
    return Family(
        hf.GPT2LMHeadModel, _GPT2 | more, interop.config_from_gpt2, interop.from_gpt2, interop.to_gpt2, mt.DecoderLM
    )


def in_pairs(config: Any) -> mt.ModelConfig:
    """Llama's config, with rotary pairs (2i, 2i+1) in place of (i, i + E/2)."""
    ours = interop.config_from_llama(config)
    return replace(ours, parts=replace(ours.parts, position="rotary"))


def _llama(read=interop.config_from_llama, **more: Any) -> Family:
    return Family(
        hf.LlamaForCausalLM, _LLAMA | more, read, interop.from_llama, interop.to_llama, mt.DecoderLM
    )


def _t5(**more: Any) -> Family:
    return Family(
        hf.T5ForConditionalGeneration, _T5 | more, interop.config_from_t5, interop.from_t5, interop.to_t5, mt.EncoderDecoder
    )


FAMILIES = {
    "gpt2": _gpt2(),
    "bert": Family(
        hf.BertForMaskedLM, _BERT, interop.config_from_bert, interop.from_bert_mlm, interop.to_bert_mlm, MaskedLM
    ),
    "llama": _llama(),
    "llama in pairs": _llama(in_pairs, attention_bias=True, mlp_bias=True),
    "llama tied, biased, one key head": _llama(
        tie_word_embeddings=True, attention_bias=True, mlp_bias=True, num_key_value_heads=1, rope_theta=500.0
    ),
    "t5": _t5(),
    "t5 1.1": _t5(feed_forward_proj="gated-gelu", tie_word_embeddings=False),
}
