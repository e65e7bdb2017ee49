"""What is particular to the exercises on statistics: what is refused by name, and what counts as a number."""

import pytest
import torch
import torch.nn.functional as F

from mtlib.exercises.statistics.dot_variance import reference
from mtlib.grading.run import grade

from .conftest import EXERCISES

WHOLE = {
    "torch.softmax": torch.softmax,
    "a method": lambda x, dim: x.softmax(dim),
    "functional": lambda x, dim: F.softmax(x, dim),
    "a module": lambda x, dim: torch.nn.Softmax(dim)(x),
    "its logarithm": lambda x, dim: x.log_softmax(dim).exp(),
}


@pytest.mark.parametrize("answer", WHOLE.values(), ids=WHOLE)
def test_softmax_in_any_spelling_is_the_whole_exercise(answer):
    report = grade(EXERCISES["statistics.softmax"], (answer,), 11, all_points=False)
    assert "is the whole exercise" in report.first_failure.wrong.sentence
    assert torch.ones(2).softmax(0).tolist() == [0.5, 0.5]  # and afterwards torch is whole again
    assert "softmax" not in vars(torch.Tensor)


@pytest.mark.parametrize("form", [float, torch.tensor, torch.DoubleTensor([1.0]).new_tensor])
def test_a_variance_may_come_as_a_number_or_as_a_tensor(form):
    report = grade(EXERCISES["statistics.dot_variance"], (lambda *case: form(reference(*case)),), 11, mtlibs_own=True)
    assert report.passed, report.first_failure.wrong
