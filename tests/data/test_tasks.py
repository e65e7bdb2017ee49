"""Each toy task's answer is right, and no held-out question is ever trained on."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mtlib.data import Letters, Repeats, Task
from mtlib.data.tasks import CLOSE, OPEN, TASKS

seeds = given(seed=st.integers(0, 10**9), step=st.integers(0, 999))
OFTEN = settings(max_examples=15, deadline=None)


def balanced(text):
    """By taking away what stands empty, until nothing is left: another way than the task's own."""
    while text:
        shorter = text
        for pair in map("".join, zip(OPEN, CLOSE)):
            shorter = shorter.replace(pair, "")
        if shorter == text:
            return False
        text = shorter
    return True


RIGHT = {
    "copy": lambda q, a: a == q,
    "reverse": lambda q, a: all(a[i] == q[-1 - i] for i in range(len(q))) and len(a) == len(q),
    "sort": lambda q, a: all(x <= y for x, y in zip(a, a[1:])) and all(a.count(x) == q.count(x) for x in q),
    "lookup": lambda q, a: a == dict(zip(q[:-1:2], q[1::2]))[q[-1]] and len(set(q[:-1:2])) == len(q) // 2,
    "counting": lambda q, a: int(a) == sum(x == q[-1] for x in q) - 1 and len(a) == 2,
    "parity": lambda q, a: int(a) == sum(map(int, q)) % 2,
    "brackets": lambda q, a: balanced(q + a) and set(a) <= set(CLOSE),
}


def test_every_task_has_its_judge():
    assert set(RIGHT) == set(TASKS)


@pytest.mark.parametrize("name", RIGHT)
def test_the_answer_is_right(name):
    pairs = Task(name, length=7, symbols=3 if name == "brackets" else 9).pairs(3, 200)
    assert all(RIGHT[name](*pair) for pair in pairs)
    assert len({pair.answer for pair in pairs}) > 1


@pytest.mark.parametrize("form", ["lm", "seq2seq"])
@pytest.mark.parametrize("name", RIGHT)
def test_what_is_asked_for_is_the_answer_and_its_end(name, form):
    task = Task(name, length=5, symbols=3 if name == "brackets" else 9, form=form)
    batch = task.batch(2, 20, seed=4)
    for n, (question, answer) in enumerate(task.pairs(2, 20, seed=4)):
        asked = batch.targets[n][batch.targets[n] != -100]
        assert asked[-1] == 2 and len(asked) == len(answer) + 1 and task.tokenizer.decode(asked) == answer
        shown = task.tokenizer.decode(batch.inputs[0][n])
        assert shown == (question if form == "seq2seq" else f"{question}={answer}")


@OFTEN
@seeds
def test_no_held_out_question_is_ever_trained_on(seed, step):
    task = Task("sort", length=3, symbols=5)  # so few questions that a leak would show
    seen = {pair.question for n in range(4) for pair in task.pairs(step + n, 50, seed=seed)}
    held = {pair.question for n in range(4) for pair in task.pairs(step + n, 20, split="valid", seed=seed + n)}
    assert held and not seen & held


@OFTEN
@seeds
def test_a_repeat_is_asked_from_its_second_letter_on(seed, step):
    repeats = Repeats(length=6, symbols=5)
    batch = repeats.batch(step, 8, seed=seed)
    for ids, targets in zip(batch.inputs[0], batch.targets):
        period = int((targets == -100).sum())
        assert 3 <= period <= 6 and len(ids) == repeats.max_len == 11
        assert torch.equal(targets[period:], torch.cat([ids, targets[-1:]])[1 : len(ids) + 1 - period])


def test_a_task_too_small_to_hold_anything_out_says_so():
    with pytest.raises(ValueError, match="too few questions to hold some out: only 0 of 3 rows of 'valid'"):
        Task("copy", length=1, symbols=2).pairs(0, 3, split="valid")


WRONG = {
    "task='add' must be one of: copy, reverse": lambda: Task("add"),
    "form='row' must be one of: lm, seq2seq": lambda: Task("copy", form="row"),
    "symbols=27 must be at most 26 in copy": lambda: Task("copy", symbols=27),
    "symbols=4 must be at most 3 in brackets": lambda: Task("brackets", symbols=4),
    "length=9 keys cannot all differ among symbols=8": lambda: Task("lookup", length=9),
    "length=100 must be at most 99 in counting": lambda: Task("counting", length=100),
    "length=0 must be a whole number of at least 1": lambda: Task("copy", length=0),
    "length=1 must be at least 2": lambda: Repeats(length=1),
    "text holds 'z', which is not in the alphabet 'abc'": lambda: Letters("abc").encode("az"),
    "alphabet='aa' must hold each of its letters once": lambda: Letters("aa"),
    r"ids holds 9; it must lie in 0…5": lambda: Letters("abc").decode([9]),
}


@pytest.mark.parametrize("message", WRONG)
def test_sizes_that_do_not_go_together_are_refused(message, shapes_unchecked):
    with pytest.raises(ValueError, match=message):
        WRONG[message]()


@given(text=st.text(st.sampled_from("abcxyz")))
@settings(max_examples=20, deadline=None)
def test_letters_come_back_from_their_ids_up_to_the_end_sign(text):
    letters = Letters("abcxyz")
    assert letters.decode([1, *letters.encode(text), 2, 5, 5]) == text
