"""Tiny models of every kind, with weights large enough that each part matters."""

import pytest
import torch

import mtlib as mt

KINDS = {
    "gpt2": {"parts": mt.GPT2},
    "llama": {"parts": mt.LLAMA, "n_kv_heads": 2},
    "t5": {"parts": mt.T5, "n_kv_heads": 1},
    "alibi, untied": {"parts": mt.Parts(position="alibi", tied=False)},
}


def build(dtype=torch.float64, model=mt.DecoderLM, **options):
    sizes = {"vocab": 11, "max_len": 8, "d_model": 16, "n_heads": 4, "n_layers": 3, "d_ff": 24}
    made = model(mt.ModelConfig(**(sizes | options)))
    mt.init_weights(made, n_layers=1, std=0.4)
    with torch.no_grad():  # norms and biases too: what starts at 1 and 0 hides mistakes
        for name, weight in made.named_parameters():
            if weight.dim() == 1:
                weight.add_(0.3 * torch.randn_like(weight))
    return made.to(dtype)


@pytest.fixture
def make():
    return build


@pytest.fixture(params=KINDS)
def model(request):
    return build(**KINDS[request.param])


@pytest.fixture
def gpt2():
    return build()


@pytest.fixture
def ids():
    return torch.randint(0, 11, (2, 6))
