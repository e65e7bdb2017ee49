"""What every source promises to a trainer: a batch is a function of its number, and what is held out stays out."""

from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mtlib.data import SOURCES as NAMED
from mtlib.data import Batch, Data, Task, exact_match
from mtlib.data.batch import held_out, question_and_answer, rows_of, source_and_answer

from .sources import SOURCES

made = pytest.fixture(scope="module", params=SOURCES)(lambda request, tmp_path_factory: SOURCES[request.param](tmp_path_factory.mktemp("own")))


def tensors(batch):
    return [*batch.inputs, batch.targets]


def same(a, b):
    return len(a.inputs) == len(b.inputs) and all(map(torch.equal, tensors(a), tensors(b)))


def test_a_batch_is_the_same_bits_whenever_it_is_asked_for(made):
    first = made.batch(5, 4, seed=3)
    for step, split, seed in [(4, "train", 3), (5, "valid", 3), (5, "train", 4)]:
        made.batch(step, 4, split=split, seed=seed)
    assert same(first, made.batch(5, 4, seed=3))
    assert isinstance(made, Data) and isinstance(first, Batch)


def test_another_step_and_another_seed_are_another_batch(made):
    first = made.batch(0, 4)
    assert not same(first, made.batch(1, 4)) and not same(first, made.batch(0, 4, seed=1))


def test_every_model_of_the_stated_sizes_can_read_it(made):
    for split in "train", "valid":
        batch = made.batch(1, 5, split=split)
        ids = [x for x in batch.inputs if x.dtype == torch.int64]
        assert all(x.shape[0] == 5 and x.shape[1] <= made.max_len for x in ids)
        assert all(0 <= x.min() and x.max() < made.vocab for x in ids)
        assert batch.targets.shape[0] == 5 and batch.targets.max() < getattr(made, "n_classes", made.vocab)
        assert (batch.targets != -100).any() and batch.targets.dtype == torch.int64
        keeps = [x for x in batch.inputs if x.dtype == torch.bool]
        assert all(keep.shape == (5, 1, 1, batch.inputs[0].shape[1]) for keep in keeps)


def test_every_process_has_its_rows_of_the_batch_that_one_would_have(made):
    """A process draws the whole batch and takes rows r::n: the parts, put back, are the whole."""
    whole = tensors(made.batch(2, 6))
    parts = [[x[rank::2] for x in tensors(made.batch(2, 6))] for rank in range(2)]
    assert all(torch.equal(torch.stack(pair, dim=1).flatten(0, 1), x) for x, *pair in zip(whole, *parts))


def test_wrong_arguments_are_named(made, shapes_unchecked):
    for arguments, message in [((-1, 2), "step=-1"), ((0, 0), "size=0"), ((0.5, 2), "step=0.5")]:
        with pytest.raises(ValueError, match=message):
            made.batch(*arguments)
    with pytest.raises(ValueError, match="split='test' must be one of: train, valid"):
        made.batch(0, 2, split="test")


@given(n=st.integers(1, 30), size=st.integers(1, 7), seed=st.integers(0, 9**9))
@settings(max_examples=30, deadline=None)
def test_each_row_comes_once_before_any_comes_twice(n, size, seed):
    drawn = [row for step in range(2 * n) for row in rows_of(n, step, size, "train", seed)]
    for turn in range(len(drawn) // n):
        assert sorted(drawn[turn * n : (turn + 1) * n]) == [*range(n)]


@given(n=st.integers(1, 30), seed=st.integers(0, 9**9))
@settings(max_examples=20, deadline=None)
def test_held_out_rows_stand_in_one_order_for_all_seeds(n, seed):
    assert rows_of(n, 0, n, "valid", seed).tolist() == rows_of(n, 1, n, "valid", 0).tolist()


def test_one_row_in_ten_is_held_out():
    assert 900 < sum(held_out(f"row {n}") for n in range(10_000)) < 1100


def test_only_the_answer_is_asked_for():
    batch = question_and_answer([([5, 6, 7], [8, 9]), ([5], [6])], width=5)
    assert batch.inputs[0].tolist() == [[5, 6, 7, 8, 9], [5, 6, 0, 0, 0]]
    assert batch.targets.tolist() == [[-100, -100, 8, 9, 2], [6, 2, -100, -100, -100]]


def test_a_decoder_is_shown_what_it_was_asked_for_one_place_later():
    batch = source_and_answer([([5, 6, 7], [8, 9]), ([5], [6])])
    assert batch.inputs[0].tolist() == [[5, 6, 7], [5, 0, 0]]
    assert batch.inputs[1].tolist() == [[1, 8, 9], [1, 6, 0]]
    assert batch.inputs[2][:, 0, 0].tolist() == [[True] * 3, [True, False, False]]
    assert batch.targets.tolist() == [[8, 9, 2], [6, 2, -100]]


def test_a_batch_goes_to_a_device_whole():
    moved = Task("sort", form="seq2seq").batch(0, 2).to("meta")
    assert all(x.is_meta for x in tensors(moved)) and Batch((torch.zeros(1),), None).to("meta").targets is None


def test_exact_match_counts_whole_answers():
    assert exact_match(["ab", "c", ""], ["ab", "d", ""]) == 2 / 3
    with pytest.raises(ValueError, match="said holds 1 answers and meant 2"):
        exact_match(["a"], ["a", "b"])


def test_the_sources_that_a_recipe_can_name():
    assert set(NAMED) == {"task", "induction", "dates", "sentiment", "intents", "requests", "digits", "documentation", "textfile"}


def test_held_out_rows_come_again_only_after_the_last(tmp_path):
    for name in "digits", "sentences", "bytes of a file":
        data = SOURCES[name](tmp_path)
        n = data.held_out_rows
        assert same(data.batch(0, n, split="valid"), data.batch(1, n, split="valid", seed=8))
    twice = Counter(map(tuple, SOURCES["digits"](tmp_path).batch(0, 191, split="valid").inputs[0].tolist()))
    assert max(twice.values()) == 1
