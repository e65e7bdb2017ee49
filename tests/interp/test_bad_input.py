"""A wrong argument gets one clear line: which, what it was, what it must be."""

import pytest
import torch
from torch import nn

import mtlib as mt
from mtlib import interp

pytestmark = pytest.mark.usefixtures("shapes_unchecked")

model = mt.DecoderLM(mt.ModelConfig(vocab=9, max_len=8, d_model=8, n_heads=2, n_layers=3))
encoder = mt.Encoder(model.config)
post = mt.DecoderLM(mt.ModelConfig(vocab=9, max_len=8, d_model=8, n_heads=2, n_layers=1, parts=mt.BERT))
attn = model.blocks[0].attn
ids, other = torch.tensor([[3, 1, 4]]), torch.tensor([[3, 2, 4]])
weights = torch.full((1, 2, 3, 3), 1 / 3)

CASES = {
    "a layer too deep": (lambda: interp.ablate_head(model, 3, 0, ids), "layer=3 must lie in 0…2: it counts from 0"),
    "a layer from the end": (lambda: interp.ablate_ffn(model, -1, ids), "layer=-1 must lie in 0…2"),
    "a head too many": (lambda: interp.ablate_head(model, 0, 2, ids), "head=2 must lie in 0…1"),
    "a head that is a bool": (lambda: interp.ablate_head(model, 0, True, ids), "head=True must lie in 0…1"),
    "a neuron too many": (lambda: interp.ablate_neuron(model, 0, 32, ids), "neuron=32 must lie in 0…31"),
    "a fill of another shape": (lambda: interp.ablate_head(model, 0, 0, ids, fill=torch.zeros(3, 4)), r"fill has shape \(3, 4\); it must be a number or have shape \(4,\)"),
    "a fill of one for a layer": (lambda: interp.ablate_ffn(model, 0, ids, fill=torch.zeros(1)), r"fill has shape \(1,\); it must be a number or have shape \(8,\)"),
    "a model without blocks": (lambda: interp.residual_stream(nn.Linear(2, 2), ids), "model is a Linear; it must be one of mtlib's transformers"),
    "an encoder under the lens": (lambda: interp.logit_lens(encoder, ids), "model is an Encoder; it must score tokens"),
    "a list of ids": (lambda: interp.residual_stream(model, [3, 1]), "ids is a list; it must be a torch tensor"),
    "an unknown site": (lambda: interp.patched_logits(model, ids, other, "blocks.0.atn"), "nothing recorded at 'blocks.0.atn'"),
    "texts of two lengths": (lambda: interp.patched_logits(model, ids, ids[:, :2], "blocks.0"), r"clean_ids has shape \[\(1, 3\)\] and corrupt_ids \[\(1, 2\)\]; they must be equal"),
    "a metric that makes many": (lambda: interp.ablation_sweep(model, ids, lambda logits: logits[0, -1]), r"metric gave a tensor of shape \(9,\); it must give one number"),
    "no way to go": (lambda: interp.patching_effect(2.0, 2.0, 1.0), "clean and corrupt are both 2.0; they must differ"),
    "a mean where there is none": (lambda: interp.mean_at(model, ids, "logits.x"), "nothing recorded at 'logits.x'"),
    "a stream that is no sum": (lambda: interp.logit_parts(post, ids, 5), "placement='post' norms the stream after every part"),
    "a circuit of a post-norm model": (lambda: interp.copying_score(post, 0, 0), "placement='post' norms the stream"),
    "an unknown target": (lambda: interp.logit_parts(model, ids, 9), r"target=\[9\] must be token ids in 0…8"),
    "a target for another batch": (lambda: interp.logit_parts(model, ids, torch.tensor([1, 2])), r"target has shape \(2,\); it must be one id, or one for each of 1 texts"),
    "a position past the end": (lambda: interp.logit_parts(model, ids, 5, position=3), "position=3 is outside the 3 positions"),
    "a period of one": (lambda: interp.induction_score(weights, 1), "period=1 must lie in 2…2"),
    "a period as long as the text": (lambda: interp.induction_score(weights, 3), "period=3 must lie in 2…2"),
    "weights of a cross-attention": (lambda: interp.induction_score(weights[:, :, :2], 2), r"weights has shape \(1, 2, 2, 3\); it must be \(B, H, T, T\)"),
    "weights without a batch": (lambda: interp.attention_entropy(weights[0]), r"weights has shape \(2, 3, 3\); it must be \(B, H, T_q, T_k\)"),
    "a pattern of another length": (lambda: interp.pattern_score(weights, interp.induction(ids[:, :2])), r"wanted has shape \(1, 2, 2\); it must be \(B, T, T\) = \(1, 3, 3\)"),
    "ids that are no batch": (lambda: interp.induction(ids[0]), r"ids has shape \(3,\); it must be \(B, T\)"),
    "more tokens than there are": (lambda: interp.repeated_tokens(1, 10, 9), "period=10 different tokens cannot be drawn from vocab=9"),
    "no rows": (lambda: interp.repeated_tokens(0, 2, 9), "batch=0 must be a whole number of at least 1"),
    "nothing repeated to predict": (lambda: interp.copying_loss(torch.zeros(1, 3, 9), ids, 2), "period=2 must lie in 1…1"),
    "a circuit of a head too many": (lambda: interp.qk_circuit(attn, 2), "head=2 must lie in 0…1"),
    "an OV circuit of a head too many": (lambda: interp.ov_circuit(attn, -1), "head=-1 must lie in 0…1"),
    "no contexts wanted": (lambda: interp.neuron_contexts(model, [[1]], 0, 0, k=0), "k=0 must be a whole number of at least 1"),
    "no tokens wanted": (lambda: interp.promoted_tokens(model, 0, 0, k=0), "k=0 must be a whole number of at least 1"),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input_gets_one_clear_line(case):
    call, message = CASES[case]
    with pytest.raises((ValueError, TypeError, KeyError), match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
