"""The experiment of chapter 03: what is taken out is gone, the rest is as it was, and kept runs come out again."""

import pytest
import torch

import mtlib as mt
from mtlib.experiments import kept, taken_out
from mtlib.masks import padding_keep

CONFIG = mt.ModelConfig(vocab=9, max_len=8, d_model=taken_out.D, n_heads=2, n_layers=2, parts=mt.ORIGINAL)
IDS = torch.tensor([[3, 1, 4, 1], [5, 2, 0, 0]])
KEEP = padding_keep(IDS, 0)


def classifier(variant="whole", pool="mean"):
    torch.manual_seed(0)
    return taken_out.Classifier(CONFIG, 3, out=taken_out.OUT[variant], pool=pool).eval()


def test_the_whole_is_mtlibs_transformer():
    torch.manual_seed(0)
    theirs = mt.Transformer(CONFIG, n_classes=3).eval()
    torch.testing.assert_close(classifier()(IDS, KEEP), theirs(IDS, KEEP))


@pytest.mark.parametrize("variant", taken_out.OUT)
def test_only_what_is_named_is_taken_out(variant):
    with mt.trace(classifier(variant)) as t:
        classifier_ = t._model
        classifier_(IDS, KEEP)
    out = taken_out.OUT[variant]
    for block in ("encoder.blocks.0", "encoder.blocks.1"):
        for part in ("attn", "ffn"):
            assert (t[f"{block}.{part}"] == 0).all() == (part in out)
    assert torch.equal(t["encoder.pos"], t["encoder.tok"]) == ("pos" in out)


def test_a_bag_does_not_know_the_order_and_the_whole_does():
    reordered, everyone = IDS[:, [2, 0, 3, 1]], torch.ones_like(KEEP)
    bag, whole = classifier("none of the three"), classifier()
    torch.testing.assert_close(bag(reordered, everyone), bag(IDS, everyone))
    assert not torch.allclose(whole(reordered, everyone), whole(IDS, everyone))


@pytest.mark.parametrize("pool", taken_out.POOLS)
def test_padding_changes_no_verdict(pool):
    model, row = classifier(pool=pool), IDS[1:, :2]
    torch.testing.assert_close(model(IDS, KEEP)[1:], model(row, padding_keep(row, 0)))


def test_a_row_gives_back_every_outcome_leading_zeros_too():
    assert taken_out.outcomes({"right": "5", "sentences": 5}).tolist() == [False, False, True, False, True]
    for row in kept("taken_out"):
        assert taken_out.outcomes(row).float().mean().item() == pytest.approx(row["accuracy"], abs=1e-4)


def test_a_sample_of_the_kept_runs_comes_out_again():
    then = next(row for row in kept("taken_out") if (row["task"], row["variant"]) == ("wishes", "none of the three"))
    hits = taken_out.right("wishes", taken_out.train("wishes", "none of the three", seed=then["seed"]))
    assert len(hits) == then["sentences"]
    assert hits.float().mean().item() == pytest.approx(then["accuracy"], abs=0.03)
