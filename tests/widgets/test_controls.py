"""What a keyword of explore means."""

import pytest

from mtlib.widgets.controls import read_controls


def only(**controls):
    (field,) = read_controls(controls, {}, {})
    return field


@pytest.mark.parametrize(
    ("spec", "kind", "values"),
    [
        ((0.0, 1.0, 5), "range", (0.0, 0.25, 0.5, 0.75, 1.0)),
        ((1, 4), "range", (1, 2, 3, 4)),
        ((0, 10, 3), "range", (0, 5, 10)),
        ([1, 8, 64], "range", (1, 8, 64)),
        (["causal", "full"], "select", ("causal", "full")),
        (bool, "check", (False, True)),
        ([False, True], "check", (False, True)),
    ],
)
def test_a_keyword_becomes_the_control_it_looks_like(spec, kind, values):
    field = only(x=spec)
    assert (field.kind, field.values) == (kind, values)
    assert list(map(type, field.values)) == list(map(type, values))


def test_even_stops_carry_no_rounding_noise():
    assert only(x=(0.1, 0.7, 7)).values == (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)


def test_a_slider_starts_in_the_middle_and_a_list_at_its_first_word():
    assert only(x=(0, 10)).at == 5
    assert only(x=["a", "b"]).at == 0


def test_start_and_labels_are_taken():
    (field,) = read_controls({"d_k": [1, 8, 64]}, {"d_k": 64}, {"d_k": "head width"})
    assert (field.values[field.at], field.label) == (64, "head width")


def test_a_reader_sees_a_true_minus_and_few_digits():
    assert only(x=(-1.0, 1.0, 4)).texts == ["−1", "−0.333", "0.333", "1"]


@pytest.mark.parametrize(
    ("controls", "start", "message"),
    [
        ({}, {}, "no control"),
        ({"x": 3}, {}, "cannot make a control of x=3"),
        ({"x": [1]}, {}, "at least two different"),
        ({"x": (3, 1)}, {}, "low < high"),
        ({"x": (0.0, 1.0, 1)}, {}, "two stops"),
        ({"x": (0, 4)}, {"x": 5}, "x cannot start at 5: its stops are 0, 1, 2, 3, 4"),
        ({"x": (0, 4)}, {"y": 5}, "start names \\['y'\\], but the controls are \\['x'\\]"),
    ],
)
def test_what_cannot_be_read_says_how_to_write_it(controls, start, message):
    with pytest.raises(ValueError, match=message):
        read_controls(controls, start, {})
