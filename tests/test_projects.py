"""The experiments of chapter 16: each slip changes one line and shows where the page says, and kept runs come out again."""

import copy

import pytest
import torch
from torch.nn import functional as F

import mtlib as mt
from mtlib.data.batch import IGNORE
from mtlib.experiments import answer_only, kept, plain_decoder, pools, slips, two_processes

pytestmark = pytest.mark.ch16


def edited(name):
    return slips.edited(*([slips.SLIPS[name]] if name != "none" else []))


def test_the_plain_decoder_is_mtlibs():
    torch.manual_seed(0)
    mine = plain_decoder.LM(**slips.SIZES)
    theirs = mt.DecoderLM(mt.ModelConfig(**slips.SIZES))
    theirs.load_state_dict(mine.state_dict())
    ids = torch.randint(slips.V, (2, 9))
    torch.testing.assert_close(mine(ids), theirs(ids))


@pytest.mark.parametrize("name", ["none", *slips.SLIPS])
def test_what_a_slip_turns_red_before_training_is_what_the_kept_run_says(name):
    then = next(row for row in kept("slips") if row.get("slip") == name and row["seed"] == 0)
    assert slips.checks(edited(name), 0)._asdict().items() <= then.items()


def test_every_slip_of_the_model_is_found_before_training_and_those_of_the_training_are_not():
    of_training = {"targets not moved", "gradients pile up"}
    for row in kept("slips"):
        if "slip" in row:
            passed = all(row[check] for check in slips.Checks._fields)
            assert passed == (row["slip"] in {"none", *of_training}), row


def test_a_line_that_does_not_stand_there_once_is_refused():
    with pytest.raises(ValueError, match="'x = x' stands . times in plain_decoder.py; it must be once"):
        slips.edited(slips.Slip("x = x", "pass"))


def test_the_first_losses_of_a_kept_slip_come_out_again():
    then = next(row for row in kept("slips") if row.get("slip") == "mask forgotten" and row["seed"] == 1)
    _, losses = slips.train(edited("mask forgotten"), 1, steps=10)
    assert sum(losses) / 10 == pytest.approx(then["curve"][0], abs=0.05)


def test_a_needle_lies_in_every_row_and_nowhere_in_the_padding():
    (ids, keep), classes = pools.needle(64, torch.Generator().manual_seed(0))
    special = (ids >= 2) & (ids < 2 + pools.CLASSES)
    assert (special.sum(dim=1) == 1).all() and torch.equal(ids[special] - 2, classes)
    assert not (special & ~keep[:, 0, 0]).any() and (ids[:, 0] == pools.CLS).all()


def test_the_majority_is_one_and_no_tie():
    (ids, _), classes = pools.majority(64, torch.Generator().manual_seed(0))
    often = torch.stack([(ids == 2 + k).sum(dim=1) for k in range(pools.CLASSES)], dim=1)
    top = often.topk(2, dim=1).values
    assert len(ids) == 64 and torch.equal(often.argmax(dim=1), classes) and (top[:, 0] > top[:, 1]).all()


def test_pools_are_compared_on_the_same_encoder():
    weights = [pools.build("needle", pool, True, 3).encoder.state_dict() for pool in pools.POOLS]
    for other in weights[1:]:
        assert all(torch.equal(w, other[name]) for name, w in weights[0].items())


def test_without_attention_no_token_hears_of_another():
    model = pools.build("needle", "mean", False, 0)
    (ids, keep), _ = pools.needle(2, torch.Generator().manual_seed(0))
    other = ids.clone()
    other[:, 3] = 2
    with torch.no_grad():
        change = (model.encoder(ids, keep) - model.encoder(other, keep)).abs().amax(dim=-1)
    assert change[:, :3].max() == change[:, 4:].max() == 0


def test_all_three_ways_start_from_the_same_weights_and_differ_in_what_is_asked():
    batches = [answer_only.requests(learn).batch(0, 4) for learn in ("answer", "all")]
    (one, targets), (other, more) = ((batch.inputs[0], batch.targets) for batch in batches)
    assert torch.equal(one, other) and ((targets != IGNORE) <= (more != IGNORE)).all() and not torch.equal(targets, more)
    model = answer_only.fresh(1024, 0)
    again = copy.deepcopy(model)
    answer_only.taught(again, "answer", 0, steps=32)
    with torch.no_grad():
        loss, after = (F.cross_entropy(m.eval()(one).flatten(0, 1), targets.flatten()).item() for m in (model, again))
    assert after < loss


def test_one_recipe_and_two_commands(tmp_path):
    one, two = two_processes.words(1, tmp_path), two_processes.words(2, tmp_path)
    assert one[1:4] == ["-m", "mtlib", "train"] and "--nproc-per-node=2" in two
    assert one[3:] == two[two.index("train") :]
