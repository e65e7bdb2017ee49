"""What a config of theirs becomes, and what it may not ask; what lies beside the weights in real files."""

from pathlib import Path

import pytest
import torch
import transformers as hf

import mtlib as mt
from mtlib import interop

from .families import FAMILIES, V

LLAMA = FAMILIES["llama"].settings


def test_configs_become_ours():
    gpt2 = interop.config_from_gpt2(hf.GPT2Config(activation_function="relu"))
    assert (gpt2.vocab, gpt2.max_len, gpt2.d_model, gpt2.n_heads, gpt2.n_layers, gpt2.ff_width) == (50257, 1024, 768, 12, 12, 3072)
    assert gpt2.parts == mt.Parts(ffn="relu") and gpt2.norm_eps == 1e-5
    bert = interop.config_from_bert(hf.BertConfig())
    assert bert.parts == mt.BERT and bert.norm_eps == 1e-12 and bert.ff_width == 3072
    llama = interop.config_from_llama(hf.LlamaConfig(**LLAMA, rope_theta=5e5))
    assert llama.kv_heads == 2 and llama.parts.rotary_base == 5e5 and not llama.parts.tied
    t5 = interop.config_from_t5(hf.T5Config())
    assert t5.parts == mt.T5 and t5.d_ff == 2048
    v11 = interop.config_from_t5(hf.T5Config(feed_forward_proj="gated-gelu", tie_word_embeddings=False))
    assert v11.parts.ffn == "geglu-tanh" and not v11.parts.tied


REFUSED = {
    "an activation we have not": (
        lambda: interop.config_from_gpt2(hf.GPT2Config(activation_function="quick_gelu")), "activation 'quick_gelu' has no counterpart"
    ),
    "scores scaled by layer": (
        lambda: interop.config_from_gpt2(hf.GPT2Config(scale_attn_by_inverse_layer_idx=True)),
        "config has scale_attn_by_inverse_layer_idx=True; only False has a counterpart here",
    ),
    "a BERT that decodes": (lambda: interop.config_from_bert(hf.BertConfig(is_decoder=True)), "is_decoder=True; only False"),
    "stretched angles": (
        lambda: interop.config_from_llama(hf.LlamaConfig(**LLAMA, rope_parameters={"rope_type": "linear", "rope_theta": 1e4, "factor": 2.0})),
        "config stretches its rotary angles",
    ),
    "wide heads in Llama": (lambda: interop.config_from_llama(hf.LlamaConfig(**LLAMA, head_dim=8)), "head_dim=8; only 6 has"),
    "biases in attention only": (lambda: interop.config_from_llama(hf.LlamaConfig(**LLAMA, attention_bias=True)), "mlp_bias=False; only True"),
    "wide heads in T5": (lambda: interop.config_from_t5(hf.T5Config(d_kv=128)), "d_kv=128; only 64 has a counterpart"),
    "unequal depths": (lambda: interop.config_from_t5(hf.T5Config(num_decoder_layers=2)), "num_decoder_layers=2; only 6"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_a_config_with_no_counterpart_is_refused_in_one_line(case):
    call, message = REFUSED[case]
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_bert_files_bring_a_pooler_and_position_ids_which_are_put_aside():
    family = FAMILIES["bert"]
    theirs, _, config = family.build()
    bare = {name.removeprefix("bert."): t for name, t in theirs.state_dict().items() if name.startswith("bert.")}
    more = {"pooler.dense.weight": torch.zeros(1), "embeddings.position_ids": torch.arange(8)}
    state = interop.from_bert(bare | more, config)
    mt.Encoder(config).load_state_dict(state)
    twin = hf.BertModel(theirs.config, add_pooling_layer=False)
    twin.load_state_dict(interop.to_bert(state, config))
    assert not twin.embeddings.token_type_embeddings.weight.any()


def test_a_file_without_the_tied_head_loads_and_one_that_is_not_tied_is_refused():
    family = FAMILIES["gpt2"]
    theirs, _, config = family.build()
    state = theirs.state_dict() | {"transformer.h.0.attn.bias": torch.ones(1, 1, 8, 8)}  # older files' causal triangle
    del state["lm_head.weight"]
    assert family.from_theirs(state, config).keys() == mt.DecoderLM(config).state_dict().keys()
    with pytest.raises(ValueError, match="lm_head.weight and transformer.wte.weight hold different numbers"):
        family.from_theirs(state | {"lm_head.weight": torch.zeros(V, 24)}, config)


def test_names_are_carried_without_numbers_too():
    """A model on the meta device has names and shapes only."""
    family = FAMILIES["t5"]
    _, _, config = family.build()
    with torch.device("meta"):
        ours = mt.EncoderDecoder(config)
    assert family.from_theirs(family.to_theirs(ours.state_dict(), config), config).keys() == ours.state_dict().keys()


def test_interop_never_imports_transformers():
    files = list(Path(interop.__file__).parent.glob("*.py"))
    assert len(files) > 5 and not [path.name for path in files if "import transformers" in path.read_text("utf8")]
