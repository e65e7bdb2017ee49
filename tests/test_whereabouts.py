"""The experiments behind the chapter on position: what they hold equal, what a task asks, and that a sample comes out again."""

import pytest
import torch

from mtlib.experiments import kept, longer, next_letter, whereabouts

pytestmark = pytest.mark.ch09


def test_schemes_of_one_seed_differ_in_the_position_alone():
    models = {scheme: longer.build(scheme, seed=1) for scheme in longer.SCHEMES}
    none = models["none"].state_dict()
    for scheme, model in models.items():
        others = {name: w for name, w in model.state_dict().items() if not name.startswith("pos.")}
        assert others.keys() == none.keys()
        assert all(torch.equal(w, none[name]) for name, w in others.items()), scheme


def test_a_learned_table_is_never_trained_beyond_the_short_rows():
    before, after = longer.build("learned", 0).pos.weight, longer.train("learned", 0, steps=3).pos.weight
    decay = (after[longer.SHORT :] / before[longer.SHORT :]).detach()
    assert not torch.equal(before[: longer.SHORT], after[: longer.SHORT])
    torch.testing.assert_close(decay, decay[:1, :1].expand_as(decay))  # AdamW shrinks them alike; no gradient reaches them


def test_through_a_window_no_place_sees_further_back_than_it_says():
    model, g = longer.build("rotary", 0), torch.Generator().manual_seed(0)
    ids = torch.randint(0, next_letter.V, (1, 40), generator=g)
    other = ids.clone()
    other[0, 0] = (ids[0, 0] + 1) % next_letter.V
    at = torch.arange(40)
    with torch.no_grad():
        a, b = (model(x, at[:, None] - at < 4) for x in (ids, other))
    reach = 1 + model.config.n_layers * 3  # three further back with every layer
    assert torch.equal(a[0, reach:], b[0, reach:]) and not torch.equal(a[0, :reach], b[0, :reach])


def test_places_are_told_bin_by_bin_and_none_is_left_out():
    assert longer.binned(torch.arange(float(longer.LONG))) == [3.5, 11.5, 23.5, 47.5, 95.5, 191.5]
    assert [low for low, _ in longer.BINS] + [longer.LONG] == [0] + [high for _, high in longer.BINS]


def test_the_first_letter_is_asked_for_at_the_question_mark():
    ids, first = whereabouts.rows(5, torch.Generator().manual_seed(0))
    assert torch.equal(ids[:, 0], first) and (ids[:, -1] == whereabouts.ASK).all() and ids[:, :-1].max() < whereabouts.V


def test_pictures_of_the_test_are_every_tenth():
    levels, digit, test = whereabouts.pictures()
    assert levels.shape == (1797, 64) and levels.max() == 16 and digit.max() == 9 and test.sum() == 179


def test_samples_of_the_kept_runs_come_out_again():
    then = {(row["variant"], row["seed"]): row["right"] for row in kept("whereabouts")}
    now = whereabouts.right(whereabouts.train_reader("decoder, 1 layer", 2))
    assert now == pytest.approx(then["decoder, 1 layer", 2], abs=0.05)
    row = next(row for row in kept("longer") if (row["scheme"], row["seed"]) == ("alibi", 2))
    close = 0.02 if row["text"] == next_letter.text_hash() else 0.15  # another Python, a slightly longer text
    assert longer.binned(longer.losses(longer.train("alibi", 2))) == pytest.approx(row["whole"], abs=close)
