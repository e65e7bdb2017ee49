"""How the message and the picture read: nothing that looks like noise, and a name where there is one."""

import pytest
import torch

from mtlib.exercises import find
from mtlib.grading import UnknownExercise, check, hint
from mtlib.grading.checking import GradingError
from mtlib.grading.picture import picture_of
from mtlib.grading.report import pretty, text_of
from mtlib.grading.run import grade


def report_on(id, answer):
    return grade(find(id), (answer,), 1)


def test_two_mistakes_at_once_are_still_named():
    def picture(weights, columns):  # down the columns, always float32, and nothing refused
        H, T_q, T_k = weights.shape
        rows = -(-H // columns)
        page = torch.zeros(rows * T_q, columns * T_k)
        for h in range(H):
            j, i = divmod(h, rows)
            page[i * T_q : (i + 1) * T_q, j * T_k : (j + 1) * T_k] = weights[h]
        return page

    report = report_on("attention.picture", picture)
    assert report.earned == 0 and report.mistake.startswith("column order")


def test_an_answer_that_is_no_tuple_is_told_what_belongs_in_it():
    text = text_of(report_on("attention.scaled_dot_product", lambda q, k, v, keep=None: q @ k.mT @ v))
    assert "the answer is a torch.Tensor; expected a tuple (out, weights)" in text and "tensor(" not in text


def test_two_pictures_that_would_look_alike_are_not_drawn():
    report = report_on("attention.padding_keep", lambda ids, pad: ids != pad)
    assert report.first_failure.wrong.sentence.startswith("the shape is") and picture_of(report) is None


def test_pictures_of_different_shapes_say_their_shapes():
    drawn = picture_of(report_on("attention.causal_keep", lambda T_q, T_k: torch.ones(T_k + 1, T_k).tril().bool()))
    assert "yours (2, 1)" in drawn.svg and "expected (1, 1)" in drawn.svg and "difference" not in drawn.svg


def test_a_card_is_a_table_in_a_notebook():
    from mtlib.grading.show import Card

    card = Card(report_on("attention.scores", lambda q, k: q @ k.mT / q.shape[-1] ** 0.5))._repr_markdown_()
    assert "\n| values | 4 | 60 |\n| leading axes | 3 | 60 |\n" in card


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"w": torch.zeros(9, 9), "b": torch.ones(2)}, ["b  (2,) float32  [1, 1]   all others 0"]),
        ({"w": torch.zeros(9, 9)}, ["all 0"]),
        ({str(i): torch.ones(2) for i in range(8)}, ["8 tensors, with more numbers than one wants to read"]),
        (torch.tensor([-0.0]), ["(1,) float32  [0]"]),
        ((torch.ones(1), 2), ["(1,) float32  [1]", "2"]),
    ],
)
def test_a_value_is_written_to_be_read(value, says):
    assert pretty(value) == says


def test_a_wrong_id_offers_near_names_only():
    with pytest.raises(UnknownExercise, match="did you mean attention.picture") as error:
        check("attention.pictures", len)
    assert "causal" not in str(error.value)


def test_a_failing_case_is_drawn_yours_beside_expected(unhurried):
    drawn = picture_of(report_on("attention.scores", lambda q, k: q @ k.mT))._repr_html_()
    assert all(word in drawn for word in ("<svg", "yours", "expected", "difference", "0.707"))


def test_hints_come_one_by_one_and_stay_at_the_last(capsys):
    for number in (1, 2, 3, 3):
        hint("attention.scores")
        assert find("attention.scores").hints[number - 1] in capsys.readouterr().out
    hint("attention.scores", 1)
    assert "Hint 1 of 3" in capsys.readouterr().out
    with pytest.raises(GradingError, match="three hints"):
        hint("attention.scores", 4)


def test_a_head_too_quiet_for_many_places_is_told_so_by_one_row():
    def loudness_of_the_chapter(d_pos):
        return 30 * torch.diag(torch.ones(d_pos - 1), -1), torch.eye(d_pos)

    wrong = report_on("attention.hand_built_head", loudness_of_the_chapter).first_failure.wrong
    assert "the right place, too quietly" in wrong.sentence and "other places it competes with" in wrong.sentence
    assert wrong.yours.shape[0] == wrong.expected.shape[0] == 1
