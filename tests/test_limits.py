"""What the second half of chapter 15 leans on: two models set by hand, and experiments that ask what they say."""

import itertools

import pytest
import torch

from mtlib.data.batch import IGNORE
from mtlib.experiments import by_hand, languages, long_rows, three_models

pytestmark = pytest.mark.ch15


def dice(seed=0):
    return torch.Generator().manual_seed(seed)


def test_odd_or_even_is_right_at_every_place_of_every_row_and_as_sure_at_the_end():
    model = by_hand.odd_or_even(300)
    for rows in torch.tensor(list(itertools.product((0, 1), repeat=7))), torch.randint(0, 2, (3, 299), generator=dice()):
        ids = by_hand.with_start(rows, 0)
        logits = model(ids)
        assert torch.equal(logits.argmax(dim=-1), ids.cumsum(dim=1) % 2)
        assert (logits[..., 0] - logits[..., 1]).abs().min() > 9.9


@pytest.mark.parametrize(("letters", "length"), [(2, 5), (4, 4), (3, 60)])
def test_the_sorter_sorts(letters, length):
    every = torch.tensor(list(itertools.islice(itertools.product(range(letters), repeat=length), 300)))
    rows = torch.cat([every, torch.randint(0, letters, (20, length), generator=dice())])
    out = by_hand.sorter(letters, length + 1)(by_hand.with_start(rows, letters))[:, 1:, -letters:]
    assert torch.equal(out.argmax(dim=-1), rows.sort(dim=1).values)
    torch.testing.assert_close(out.amax(dim=-1), torch.full(rows.shape, 1 / (length + 1)))


def verdict(language, seen):
    """The rule, said once more in Python, of a row so far; None where nothing is asked."""
    ones, zeros = seen.count(1), seen.count(0)
    if language == "first":
        return seen[0]
    if language == "two back":
        return int(seen[-1] == seen[-3]) if len(seen) > 2 else None
    if language == "majority":
        return int(ones > zeros) if abs(ones - zeros) == 1 else None
    if language == "brackets":
        return int(ones == zeros) if len(seen) % 2 == 0 else None
    if language == "parity":
        return ones % 2
    return (ones > zeros) + (ones >= zeros) if ones and abs(ones - zeros) <= 1 else None


@pytest.mark.parametrize("language", languages.JUDGED)
def test_the_verdicts_are_those_of_the_rule(language):
    rows, asked = languages.JUDGED[language](6, 12, dice(1))
    for row, answers in zip(rows.tolist(), asked.tolist()):
        for t, answer in enumerate(answers):
            expected = verdict(language, row[: t + 1])
            assert answer == (IGNORE if expected is None else expected)


def test_brackets_never_close_what_was_not_open():
    rows, _ = languages.brackets(50, 20, dice())
    assert (2 * rows - 1).cumsum(dim=1).min() >= 0


def test_the_readers_have_equally_many_weights():
    sizes = [sum(w.numel() for w in languages.build(model, 3, 0).parameters()) for model in languages.MODELS]
    assert max(sizes) < 1.05 * min(sizes)
    for task in three_models.TASKS:
        sizes = [three_models.weights(model, task) for model in three_models.MODELS]
        assert max(sizes) < 1.07 * min(sizes)


@pytest.mark.parametrize("scheme", long_rows.SCHEMES)
def test_one_stretch_is_the_same_folded_or_not_and_more_are_each_at_the_same_places(scheme):
    torch.manual_seed(0)
    model = long_rows.Finder(scheme)
    colours, letters, asked, at = long_rows.rows(long_rows.SHORT, 3, dice())
    assert (colours == asked[:, None]).sum(dim=1).tolist() == [1, 1, 1]
    assert torch.equal(colours[torch.arange(3), at], asked)
    plain, v = model.scores(colours, letters, asked)
    torch.testing.assert_close(model.scores(colours, letters, asked, folded=True)[0], plain)
    twice, w = model.scores(colours.repeat(1, 2), letters.repeat(1, 2), asked, folded=True)
    torch.testing.assert_close(twice, plain.repeat(1, 1, 1, 2))
    torch.testing.assert_close(w, v.repeat(1, 1, 2, 1))


def test_farther_shows_as_few_keys_as_training_did():
    model = long_rows.Finder("none")
    few, all_of_them = (long_rows.test(model, way, 128, size=8)["weight"] for way in ("farther", "both"))
    assert 2.5 < few / all_of_them < 6


@pytest.mark.parametrize("task", three_models.TASKS)
def test_the_three_tasks_ask_what_they_say(task):
    ids, asked = three_models.TASKS[task](4, dice())
    for row, answers in zip(ids.tolist(), asked.tolist()):
        said = {token // 4: token % 4 for token in row if token < 32}
        for t, answer in enumerate(answers):
            expected = {
                "next door": sum(row[t - 2 : t + 1]) % 4 if t >= 2 else IGNORE,
                "far back": row[t - three_models.BACK] if t >= three_models.BACK else IGNORE,
                "running": sum(row[: t + 1]) % 2,
                "by content": said.get(row[t] - 32, IGNORE),
            }[task]
            assert answer == expected


@pytest.mark.parametrize("model", three_models.MODELS)
def test_no_model_reads_ahead(model):
    torch.manual_seed(0)
    net = three_models.MODELS[model](4).eval()
    ids = torch.randint(0, 4, (1, three_models.T), generator=dice())
    other = ids.clone()
    other[0, -1] = (other[0, -1] + 1) % 4
    torch.testing.assert_close(net(ids)[:, :-1], net(other)[:, :-1])
    assert (net(ids)[:, -1] - net(other)[:, -1]).abs().max() > 1e-4
