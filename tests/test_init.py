"""init_weights does what the table in its docstring says."""

import math

import pytest
import torch

import mtlib as mt

CONFIG = mt.ModelConfig(vocab=400, max_len=64, d_model=64, n_heads=4, n_layers=8)


def test_every_row_of_the_table_holds():
    model = mt.DecoderLM(CONFIG)
    kinds = {"norm": 0, "bias": 0, "adds": 0, "other": 0}
    for name, p in model.named_parameters():
        if "norm" in name:
            kind, holds = "norm", (p == (1 if name.endswith("weight") else 0)).all()
        elif name.endswith("bias"):
            kind, holds = "bias", (p == 0).all()
        elif name.endswith(("o_proj.weight", "w_out.weight")):
            kind, holds = "adds", p.std().item() == pytest.approx(0.02 / math.sqrt(16), rel=0.05)
        else:
            kind, holds = "other", p.std().item() == pytest.approx(0.02, rel=0.05)
        assert holds, name
        kinds[kind] += 1
    assert all(kinds.values())


def test_the_loss_of_a_new_model_is_that_of_a_guess():
    ids = torch.randint(400, (4, 33))
    loss = torch.nn.functional.cross_entropy(mt.DecoderLM(CONFIG)(ids[:, :-1]).flatten(0, 1), ids[:, 1:].flatten())
    assert loss.item() == pytest.approx(math.log(400), abs=0.1)


def test_a_generator_decides_every_number_and_the_global_one_is_left_alone():
    def drawn(seed):
        model = mt.init_weights(mt.DecoderLM(CONFIG), n_layers=8, generator=torch.Generator().manual_seed(seed))
        return torch.cat([p.flatten() for p in model.parameters()])

    assert torch.equal(drawn(1), drawn(1)) and not torch.equal(drawn(1), drawn(2))
    model, state = mt.DecoderLM(CONFIG), torch.get_rng_state()
    mt.init_weights(model, n_layers=8, generator=torch.Generator())
    assert torch.equal(torch.get_rng_state(), state)


def test_vectors_that_are_neither_norm_nor_bias_stay_as_their_module_chose():
    pool = mt.AttentionPool(8)
    torch.nn.init.constant_(pool.query, 3.0)
    mt.init_weights(pool, n_layers=1)
    assert (pool.query == 3).all()
