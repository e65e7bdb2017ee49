"""What a learner reads back from `check` and `hint`."""

import subprocess
import sys
import time

import numpy as np
import pytest
import torch

from mtlib.exercises import every
from mtlib.exercises.encoder import byte_pair_merges
from mtlib.grading import CheckFailed, UnknownExercise, check, hint
from mtlib.grading.report import text_of
from mtlib.grading.run import grade

EXERCISES = {exercise.id: exercise for exercise in every()}
SCORES = EXERCISES["attention.scores"]


def right(q, k):
    return q @ k.mT / q.shape[-1] ** 0.5


def message(*answers, id="attention.scores", seed=1):
    with pytest.raises(CheckFailed) as failed:
        check(id, *answers, seed=seed)
    assert failed.value._render_traceback_() == str(failed.value).splitlines()
    return str(failed.value)


def test_a_right_answer_shows_points_and_explanation(capsys, unhurried):
    check("attention.scores", right, seed=1)
    said = capsys.readouterr().out
    assert "8 of 8 points, every promise held on 140 random cases" in said
    assert SCORES.explanation in said and SCORES.better in said


def test_the_smallest_case_is_small_enough_to_work_out_by_hand(unhurried):
    text = message(lambda q, k: q @ k.mT)
    assert "This is the plain dot product, without the division by √d_k." in text
    assert "q (1, 2) float32  [[1, 0]]   k (1, 2) float32  [[1, 0]]" in text
    assert "yours       (1, 1) float32  [[1]]" in text
    assert "expected    (1, 1) float32  [[0.7071]]" in text
    assert "difference  (1, 1) float32  [[0.2929]]" in text
    assert "1 of 8 points" in text and 'hint("attention.scores")' in text
    assert len(text.splitlines()) <= 10


def test_an_unknown_mistake_is_shown_and_not_named():
    text = message(lambda q, k: right(q, k) + 0.25)
    assert "the largest difference is 0.25" in text and "This is" not in text


def test_an_error_shows_the_line_of_the_learners_code():
    def broken(q, k):
        pair = q, k
        return pair[2]

    text = message(broken)
    assert "your code raised IndexError: tuple index out of range" in text
    assert "of broken: return pair[2]" in text


def test_an_argument_that_is_empty_is_shown_so():
    merges = byte_pair_merges.reference
    text = message(lambda words, n: merges(words, n) if words else None, id="encoder.byte_pair_merges")
    assert "words {}" in text


def test_a_stub_is_told_gently():
    def scores(q, k):
        raise NotImplementedError("scores is yours to write")

    text = message(scores)
    assert text.count("\n") == 0 and "not written yet (scores is yours to write)" in text


def test_a_wrong_id_is_one_line_with_the_nearest():
    with pytest.raises(UnknownExercise, match="no exercise 'attention.score'; did you mean attention.scores") as error:
        check("attention.score", right)
    assert "\n" not in str(error.value)
    with pytest.raises(UnknownExercise):
        hint("nothing.like.it")


@pytest.mark.parametrize(
    ("answers", "says"),
    [((), "needs 1 answer"), ((right, right), "got 2"), ((3,), "should be a function, and this is an int")],
)
def test_what_is_no_answer_is_one_line(answers, says):
    text = message(*answers)
    assert says in text and "\n" not in text


def test_an_instance_in_place_of_the_class_is_one_line():
    text = message(torch.nn.Linear(2, 2), id="attention.multi_head")
    assert "MultiHeadAttention should be the class itself" in text


class EqualToAll:
    def __eq__(self, other):
        return True


class SaysYes(type):
    """A class of this type is equal to every class, so `kind in (int, str)` is True of it."""

    __eq__ = lambda self, other: True  # noqa: E731
    __hash__ = type.__hash__


class EqualInType(metaclass=SaysYes):
    __eq__ = lambda self, other: True  # noqa: E731
    __ne__ = lambda self, other: False  # noqa: E731


class Flattering(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        return True


CHEATS = {
    "an object equal to everything": (lambda q, k: EqualToAll(), "EqualToAll"),
    "an object whose type is equal to everything": (lambda q, k: EqualInType(), "EqualInType"),
    "a Tensor subclass": (lambda q, k: right(q, k).as_subclass(Flattering), "Flattering"),
    "numpy": (lambda q, k: right(q, k).numpy(), "a numpy.ndarray"),
    "a list": (lambda q, k: right(q, k).tolist(), "the answer is a list; expected a torch.Tensor"),
    "None": (lambda q, k: None, "the answer is None; expected a torch.Tensor"),
    "another shape": (lambda q, k: right(q, k)[None], "the shape is (1, 1, 1); expected (1, 1)"),
    "another dtype": (lambda q, k: right(q, k).half(), "the dtype is float16; expected float32"),
    "NaN": (lambda q, k: right(q, k) * torch.nan, "NaN at [0, 0]"),
    "the end of the program": (lambda q, k: sys.exit(), "your code raised SystemExit"),
}


@pytest.mark.parametrize(("answer", "says"), CHEATS.values(), ids=CHEATS)
def test_no_value_passes_but_the_right_one(answer, says):
    assert says in message(answer)


def test_changing_an_argument_costs_the_point_for_it_and_no_other():
    def careless(q, k):
        k *= 0.5
        return q @ k.mT / q.shape[-1] ** 0.5 * 2

    report = grade(SCORES, (careless,), 1)
    assert report.earned == SCORES.points - 1
    assert "k is changed in place" in text_of(report)


def test_what_an_exercise_forbids_is_refused_and_restored():
    from torch.nn import functional

    real = functional.scaled_dot_product_attention
    by_module = lambda q, k, v, keep=None: (functional.scaled_dot_product_attention(q, k, v, keep), None)  # noqa: E731
    by_name = lambda q, k, v, keep=None: (aliased(q, k, v, keep), None)  # noqa: E731
    for answer in (by_module, by_name):
        text = message(answer, id="attention.scaled_dot_product")
        assert "is the whole exercise" in text and "0 of 16 points" in text
    assert functional.scaled_dot_product_attention is real


def test_what_hangs_on_a_forbidden_class_is_forbidden_too():
    text = message(lambda ids, table: torch.nn.Embedding.from_pretrained(table)(ids), id="encoder.embed")
    assert "torch.nn.Embedding is the whole exercise" in text and "0 of 10 points" in text
    assert torch.nn.Embedding.from_pretrained(torch.eye(2)).weight.shape == (2, 2)


aliased = torch.nn.functional.scaled_dot_product_attention


def test_prints_and_warnings_of_an_answer_are_neither_shown_nor_held_against_it(capsys):
    def noisy(q, k):
        print("noise")
        np.float64(1) / np.float64(0)
        return right(q, k)

    check("attention.scores", noisy)
    assert "noise" not in capsys.readouterr().out


def test_a_check_leaves_the_random_numbers_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    check("attention.scores", lambda q, k: torch.rand(1) * 0 + right(q, k))
    assert torch.equal(torch.rand(3), expected)


def test_the_same_seed_gives_the_same_report(unhurried):
    wrong = lambda q, k: right(q, k) + 0.25 * (q.shape[-1] > 4)  # noqa: E731
    assert text_of(grade(SCORES, (wrong,), 7)) == text_of(grade(SCORES, (wrong,), 7))


def test_answers_come_in_time():
    multi_head = EXERCISES["attention.multi_head"]
    start = time.monotonic()
    grade(multi_head, multi_head.mistakes[0].answers, 1, mtlibs_own=True)
    assert time.monotonic() - start < 60  # six seconds on a machine of one's own: a bound that only a stuck grader breaks


def test_importing_grading_loads_neither_hypothesis_nor_matplotlib():
    code = "import sys, mtlib.grading; print({'hypothesis', 'matplotlib', 'IPython'} & set(sys.modules))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "set()"
