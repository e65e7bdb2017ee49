"""The references of the topic `interpretability`, held to mtlib.interp."""

import torch

import mtlib as mt
from mtlib import interp
from mtlib.exercises.interpretability import ablate, direct_logit, entropy, induction, logit_lens, patch, probe

CONFIG = mt.ModelConfig(vocab=7, max_len=6, d_model=6, n_heads=3, n_layers=2)


def model():
    model = mt.DecoderLM(CONFIG).double().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_()
    return model


def ids():
    return torch.randint(7, (2, 5))


def test_the_scores_are_those_of_mtlib():
    weights = torch.randn(2, 3, 7, 7, dtype=torch.float64).tril().softmax(-1)
    torch.testing.assert_close(entropy.reference(weights), interp.attention_entropy(weights))
    torch.testing.assert_close(induction.reference(weights, 3), interp.induction_score(weights, 3))


def test_what_is_done_to_a_model_is_what_mtlib_does():
    m, clean, corrupt = model(), ids(), ids()
    torch.testing.assert_close(ablate.reference(m, 1, 2, clean), interp.ablate_head(m, 1, 2, clean))
    torch.testing.assert_close(logit_lens.reference(m, clean), interp.logit_lens(m, clean))
    for site in ("blocks.0.attn", "blocks.1.ffn", "blocks.0.attn.core.weights"):
        torch.testing.assert_close(patch.logits(m, clean, corrupt, site), interp.patched_logits(m, clean, corrupt, site))
    assert patch.effect(3.0, -1.0, 1.0) == interp.patching_effect(3.0, -1.0, 1.0)


def test_parts_and_probe_are_those_of_mtlib():
    parts, gain, w_u = (torch.randn(*shape, dtype=torch.float64) for shape in ((4, 6), (6,), (6,)))
    scale = torch.tensor(0.7, dtype=torch.float64)
    torch.testing.assert_close(
        direct_logit.reference(parts, scale, gain, w_u), interp.direct_logit(parts, scale, gain, w_u)
    )
    x, y = torch.randn(9, 4, dtype=torch.float64), torch.randn(9, 2, dtype=torch.float64)
    torch.testing.assert_close(probe.reference(x, y, 0.3), interp.ridge_probe(x, y, 0.3))
