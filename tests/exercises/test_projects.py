"""What is particular to the projects: references against mtlib and torch, and lessons that only a whole model learns."""

import pytest
import torch
import torch.nn.functional as F

import mtlib as mt
from mtlib.exercises.projects import decoder_from_empty, encoder_text_open, heads, language_models, sft
from mtlib.exercises.projects.encoder_text_open import negation
from mtlib.exercises.projects.pairs import dates


def test_the_four_are_mtlibs():
    hidden, keep, w = torch.randn(3, 4, 5), torch.rand(3, 4) < 0.5, torch.randn(5)
    keep[:, 0] = True
    asked = mt.AttentionPool(5)
    asked.load_state_dict({"query": w})
    for reference, pool in zip(heads.REFERENCES[:3], (mt.FirstPool(), mt.MeanPool(), mt.MaxPool()), strict=True):
        torch.testing.assert_close(reference(hidden, keep), pool(hidden, keep))
    torch.testing.assert_close(heads.asked(hidden, keep, w), asked(hidden, keep))


def test_the_loss_is_torchs():
    logits, ids, keep = torch.randn(3, 5, 7), torch.randint(7, (3, 5)), torch.rand(3, 5) < 0.6
    keep[0, 1] = True
    theirs = F.cross_entropy(logits[:, :-1].flatten(0, 1), ids.masked_fill(~keep, -100)[:, 1:].flatten())
    torch.testing.assert_close(sft.reference(logits, ids, keep), theirs)


def test_the_mistakes_are_made_of_the_model_that_is_asked_for():
    case = {"vocab": 7, "d_model": 6, "n_heads": 3, "n_layers": 2, "max_len": 5, "weights": 3, "dtype": torch.float64}
    theirs = decoder_from_empty.expected_of(case)
    ours = language_models.Reference(7, 6, 3, 2, 5).double()
    ours.load_state_dict(theirs.state_dict())
    ids = torch.randint(7, (2, 5))
    torch.testing.assert_close(ours(ids), theirs(ids), rtol=0, atol=1e-12)


def _drawn(lesson, n):
    return lesson(torch.Generator().manual_seed(3), n)


def test_a_bag_of_words_cannot_tell_what_not_turns():
    """Where the same words stand in another order, the answer is either in equal shares."""
    (ids, keep), targets = _drawn(negation, 4000)
    for bad in (2, 3):
        share = targets[(ids == bad).any(1)].double().mean()
        assert 0.45 < share < 0.55
    assert ((ids == 1).sum(1) == 1).all() and not ids[~keep].any()


def test_dates_are_asked_token_by_token_and_shown_one_later():
    (source, inputs, keep), targets = _drawn(dates, 500)
    asked = targets >= 0
    assert torch.equal(inputs[:, 1:][asked[:, 1:]], targets[:, :-1][asked[:, 1:]]) and not inputs[:, 0].any()
    assert torch.equal(keep, source > 0) and set(asked.sum(1).tolist()) == {3, 4}


@pytest.mark.parametrize("seed", [1, 2])
def test_no_rebuild_is_learnt_by_chance(seed):
    """What the lessons ask for is out of reach of an untrained model."""
    torch.manual_seed(seed)
    (ids, keep), targets = _drawn(negation, 300)
    model = encoder_text_open.readers.Reference(*encoder_text_open.sizes_of(encoder_text_open.LESSON))
    assert encoder_text_open.noticing.share_right(model(ids, keep), targets) < encoder_text_open.LEAST - 0.1
