"""The experiment behind the chapter on luck: the text it reads, what a seed fixes, and that it comes out again."""

import pytest
import torch

from mtlib.experiments import kept, next_letter


def test_letters_are_lower_case_and_all_else_is_one_space():
    ids = next_letter.letters("Ab, 12 — c\n\nÉz")
    assert "".join(next_letter.ALPHABET[i] for i in ids.tolist()) == "ab c z"


def test_no_block_of_the_test_is_learned_from_and_none_is_lost():
    train, test = next_letter.blocks()
    n = len(next_letter.letters(next_letter.documentation())) // next_letter.BLOCK
    assert len(train) + len(test) == n and len(test) == n // next_letter.EVERY
    ids = next_letter.letters(next_letter.documentation())
    assert torch.equal(test[0], ids[9 * next_letter.BLOCK : 10 * next_letter.BLOCK])
    assert torch.equal(train[9], ids[10 * next_letter.BLOCK : 11 * next_letter.BLOCK])


def test_a_window_is_four_letters_and_the_next_within_a_block():
    cut = torch.arange(2 * next_letter.BLOCK).view(2, -1)
    windows = next_letter.windows(cut)
    assert len(windows) == 2 * (next_letter.BLOCK - next_letter.CONTEXT)
    assert torch.equal(windows - windows[:, :1], torch.arange(5).expand_as(windows))  # no window spans two blocks


def test_a_seed_fixes_the_first_weights_and_the_batches_for_both_activations():
    relu, gelu = (next_letter.train(name, seed=1, steps=0).state_dict() for name in ("relu", "gelu"))
    assert all(torch.equal(relu[name], gelu[name]) for name in relu)
    one, same, other = (next_letter.train("relu", seed, steps=2).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not torch.equal(one["w_in.weight"], other["w_in.weight"])


def test_a_sample_of_the_kept_runs_comes_out_again():
    then = kept("next_letter")[3]
    close = 0.01 if then["text"] == next_letter.text_hash() else 0.1  # another Python, a slightly longer text
    for name in next_letter.ACTIVATIONS:
        assert next_letter.losses(next_letter.train(name, seed=3)).mean().item() == pytest.approx(then[name], abs=close)
