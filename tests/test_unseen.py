"""The experiment of chapter 01: what a row holds, that no examined mapping was met, and that kept runs come out again."""

import pytest
import torch

from mtlib.experiments import kept, unseen


def test_a_row_shows_every_key_once_and_holds_its_answers():
    mappings = unseen.mappings(20, seed=1)
    ids, values = unseen.rows(mappings, torch.Generator().manual_seed(0))
    assert ids.shape == (20, unseen.T) and ids.max() < unseen.V
    shown, asked = ids[:, : unseen.KEYS], ids[:, unseen.KEYS :] - unseen.KEYS**2
    assert torch.equal((shown // unseen.KEYS).sort(dim=1).values, torch.arange(unseen.KEYS).expand(20, -1))
    assert torch.equal(mappings.gather(1, shown // unseen.KEYS), shown % unseen.KEYS)
    assert torch.equal(mappings.gather(1, asked), values)


@pytest.mark.parametrize("many", unseen.MANY)
def test_no_mapping_of_the_exam_was_met_in_training(many):
    seen = unseen.mappings(many, seed=0)
    exam = unseen.unseen(seen)
    assert len(exam) == 500
    assert not set(map(tuple, exam.tolist())) & set(map(tuple, seen.tolist()))


def test_a_mapping_of_the_training_is_never_examined_even_if_drawn():
    would_be = unseen.mappings(1000, seed=10_000)
    exam = unseen.unseen(would_be[:10])
    assert not set(map(tuple, exam.tolist())) & set(map(tuple, would_be[:10].tolist()))


def test_who_has_not_learned_guesses():
    model = unseen.build("transformer", seed=0).eval()
    assert unseen.right(model, unseen.mappings(500, seed=3)) < 0.25


def test_a_sample_of_the_kept_runs_comes_out_again():
    then = next(row for row in kept("unseen") if (row["mappings"], row["seed"]) == (64, 1))
    now = unseen.one(then["who"], then["mappings"], then["seed"], then["steps"])
    assert now["unseen"] == pytest.approx(then["unseen"], abs=0.02)
