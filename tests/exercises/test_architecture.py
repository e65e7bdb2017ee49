"""What is particular to the exercises on architecture: which forms of an answer count, and what a wrong form is told."""

import pytest
import torch

from mtlib.exercises.architecture import ablation, scaling_fit
from mtlib.grading.run import grade

from .conftest import EXERCISES


def refusal(id: str, answer) -> str:
    return grade(EXERCISES[id], (answer,), 11, all_points=False, mtlibs_own=True).first_failure.wrong.sentence


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda mean, se, verdict: [mean, se, verdict], "the answer is a list; expected a tuple (mean, se, verdict)"),
        (lambda mean, se, verdict: (mean, se), "holds 2 things; expected 3"),
        (lambda mean, se, verdict: (torch.tensor(mean), se, verdict), "mean is a torch.Tensor; expected a float"),
        (lambda mean, se, verdict: (mean, se, None), "verdict is None; expected a str"),
    ],
)
def test_a_comparison_of_another_form_is_told_which(change, told, hasty):
    assert told in refusal("architecture.ablation", lambda a, b: change(*ablation.reference(a, b)))


def test_a_fit_says_which_number_was_planted(hasty):
    told = refusal("architecture.scaling_fit", lambda n, loss: (1.0, 0.5, 0.0))
    assert "was planted" in told or "the planted one" in told


@pytest.mark.parametrize("digits", [3, 4])
def test_a_law_rounded_to_a_few_digits_is_right(digits, hasty):
    def rounded(n, loss):
        return tuple(float(f"{x:.{digits}g}") for x in scaling_fit.reference(n, loss))

    assert grade(EXERCISES["architecture.scaling_fit"], (rounded,), 11, mtlibs_own=True).passed
