"""The experiment behind the chapter on residuals: what is rewired and what is not, and that it comes out again."""

from collections import Counter

import pytest
import torch

from mtlib.data import Task
from mtlib.experiments import add_and_norm, kept
from mtlib.trace import trace


@pytest.mark.parametrize("depth", [2, 3])
def test_all_wirings_begin_with_the_same_matrices(depth):
    first, *others = (dict(add_and_norm.build(variant, depth, 1).named_parameters()) for variant in add_and_norm.VARIANTS)
    for other in others:
        assert other.keys() == first.keys()
        assert all(torch.equal(other[name], weight) for name, weight in first.items())


def test_a_wiring_is_what_its_name_says():
    ids, _ = add_and_norm.batch(0, 2)
    seen = {}
    for variant in add_and_norm.VARIANTS:
        model = add_and_norm.build(variant, 2, 0)
        with torch.no_grad(), trace(model) as t:
            model(ids)
        seen[variant] = t
    x, norm1 = "dropout", "blocks.0.norm1"
    attn, mid = "blocks.0.attn", "blocks.0.resid_mid"
    torch.testing.assert_close(seen["pre"][mid], seen["pre"][x] + seen["pre"][attn])
    torch.testing.assert_close(seen["post"][mid], seen["post"][norm1])
    torch.testing.assert_close(seen["no residual"][mid], seen["no residual"][attn])
    torch.testing.assert_close(seen["no norm"][mid], seen["no norm"][x] + seen["no norm"][attn])
    assert norm1 in seen["no residual"] and norm1 not in seen["no norm"]


def test_the_rows_are_those_of_the_reverse_task():
    task = Task("reverse", length=add_and_norm.LENGTH, symbols=len(add_and_norm.LETTERS))
    assert (add_and_norm.V, add_and_norm.T) == (task.vocab, task.max_len)
    for step, split, seed in [(0, "train", 0), (149, "train", 4), (0, "valid", 10_000)]:
        theirs = task.batch(step, 32, split=split, seed=seed)
        inputs, targets = add_and_norm.batch(step, 32, split=split, seed=seed)
        assert torch.equal(inputs, theirs.inputs[0]) and torch.equal(targets, theirs.targets)


def test_what_is_judged_was_not_trained_on():
    judged = set(map(tuple, add_and_norm.batch(0, 256, split="valid", seed=10_000)[0].tolist()))
    trained = {tuple(row) for step in range(5) for row in add_and_norm.batch(step, add_and_norm.BATCH)[0].tolist()}
    assert len(judged) > 200 and not judged & trained


def test_a_sample_of_the_kept_runs_comes_out_again():
    then = {(run["variant"], run["depth"], run["lr"], run["seed"]): run for run in kept("add_and_norm")}
    run = then["pre", 2, add_and_norm.LR, 3]
    assert add_and_norm.accuracy(add_and_norm.train("pre", 2, 3)) == pytest.approx(run["accuracy"], abs=0.05)
    assert add_and_norm.first_gradient("pre", 2, 3)[0] == pytest.approx(run["first_block"], rel=0.02)


def test_every_wiring_and_depth_was_run_with_every_seed():
    tried = [(run["variant"], run["depth"], run["lr"], run["seed"]) for run in kept("add_and_norm")]
    grid = [(depth, add_and_norm.LR) for depth in add_and_norm.DEPTHS] + [(add_and_norm.DEPTHS[-1], add_and_norm.LR / 3)]
    assert Counter(tried) == Counter((v, *at, seed) for v in add_and_norm.VARIANTS for at in grid for seed in range(5))
