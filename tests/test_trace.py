import pytest
import torch
from torch import nn

import mtlib as mt

CONFIG = mt.ModelConfig(vocab=11, max_len=8, d_model=16, n_heads=4, n_layers=2)


@pytest.fixture
def model():
    return mt.Encoder(CONFIG).eval()


@pytest.fixture
def ids():
    return torch.randint(0, 11, (2, 6))


def test_tracing_changes_no_number_and_leaves_nothing_behind(model, ids):
    before, keys = model(ids), set(model.state_dict())
    with mt.trace(model) as t:
        during = model(ids)
    assert torch.equal(before, during) and torch.equal(before, model(ids))
    assert set(model.state_dict()) == keys and not any("core" in key for key in keys)
    assert not any(m._forward_hooks for m in model.modules())
    assert t["blocks.1.attn.core.weights"].shape == (2, 4, 6, 6)
    torch.testing.assert_close(t["blocks.1.attn.core.weights"].sum(-1), torch.ones(2, 4, 6))


def test_hooks_go_even_when_the_block_fails(model):
    with pytest.raises(ZeroDivisionError), mt.trace(model):
        1 / 0
    assert not any(m._forward_hooks for m in model.modules())


def test_a_replaced_value_is_what_goes_on(model, ids):
    def drop_head_0(heads):
        heads = heads.clone()
        heads[:, 0] = 0
        return heads

    with mt.trace(model, replace={"blocks.0.attn.core": drop_head_0}) as t:
        ablated = model(ids)
    assert (t["blocks.0.attn.core"][:, 0] == 0).all()
    assert not torch.allclose(ablated, model(ids))
    expected = t["blocks.0.attn.core"].transpose(1, 2).flatten(-2) @ model.blocks[0].attn.o_proj.weight.T
    torch.testing.assert_close(t["blocks.0.attn.o_proj"], expected + model.blocks[0].attn.o_proj.bias)


def test_gradients_reach_what_was_recorded(model, ids):
    with mt.trace(model) as t:
        out = model(ids)
    (grad,) = torch.autograd.grad(out.sum(), t["blocks.0.attn.core.scores"])
    assert grad.shape == (2, 4, 6, 6) and grad.abs().sum() > 0


def test_the_stream_is_the_input_plus_what_the_sublayer_put_out(model, ids):
    with mt.trace(model) as t:
        model(ids)
    torch.testing.assert_close(t["blocks.0.resid_mid"], t["dropout"] + t["blocks.0.attn"])


def test_a_fused_trace_names_the_way_to_the_weights(model, ids):
    mt.use_fused(model)
    with mt.trace(model) as t:
        model(ids)
    with pytest.raises(KeyError, match=r"mt\.use_explicit\(model\)"):
        t["blocks.0.attn.core.weights"]


def test_a_wrong_name_is_told_with_near_ones(model, ids):
    with mt.trace(model) as t:
        model(ids)
    with pytest.raises(KeyError, match=r"no such module; try blocks\.0\.attn\.core\.weights"):
        t["layers.0.weights"]


def test_an_unknown_path_to_replace_fails_before_anything_runs(model):
    with pytest.raises(KeyError, match="cannot replace 'nowhere'"), mt.trace(model, replace={"nowhere": lambda x: x}):
        pytest.fail("the block ran")


def test_a_replacement_must_keep_its_shape(model, ids):
    with mt.trace(model, replace={"tok": lambda x: x[:, :1]}), pytest.raises(ValueError, match="must keep the shape"):
        model(ids)


def test_what_fires_often_is_asked_for_as_a_list():
    class Unrolled(nn.Module):
        def __init__(self):
            super().__init__()
            self.cell = nn.Linear(3, 3)

        def forward(self, x):
            return self.cell(self.cell(x))

    cell = Unrolled()
    with mt.trace(cell) as t:
        cell(torch.zeros(1, 3))
    with pytest.raises(KeyError, match=r"trace\.all\('cell'\)"):
        t["cell"]
    assert len(t.all("cell")) == 2


def test_shapes_can_be_had_without_numbers():
    with torch.device("meta"):
        model, ids = mt.Encoder(CONFIG), torch.zeros(2, 6, dtype=torch.long)
    with mt.trace(model) as t:
        model(ids)
    assert "blocks.0.attn.core.weights" in repr(t) and "(2, 4, 6, 6)" in repr(t)


def test_a_trace_knows_what_it_holds(model, ids):
    with mt.trace(model) as t:
        model(ids)
    assert "blocks.0.attn.core.weights" in t and "elsewhere" not in t
    assert len(t) == len(list(t)) and all(t[name] is not None for name in t)  # nothing fires twice in an encoder


def test_replacing_in_a_fused_model_names_the_way(model):
    mt.use_fused(model)
    path = "blocks.0.attn.core.weights"
    with pytest.raises(KeyError, match=r"mt\.use_explicit"), mt.trace(model, replace={path: torch.zeros_like}):
        pytest.fail("the block ran")
