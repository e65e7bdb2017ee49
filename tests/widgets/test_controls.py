"""What a keyword of explore means."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

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
        ([0, 1], "range", (0, 1)),
        ([0.0, 1.0], "range", (0.0, 1.0)),
        ((0, 1, 5), "range", (0.0, 0.25, 0.5, 0.75, 1.0)),
    ],
)
def test_a_keyword_becomes_the_control_it_looks_like(spec, kind, values):
    field = only(x=spec)
    assert (field.kind, field.values) == (kind, values)
    assert list(map(type, field.values)) == list(map(type, values))


def test_even_stops_carry_no_rounding_noise():
    assert only(x=(0.1, 0.7, 7)).values == (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
    assert only(x=(-0.1, 0.2, 4)).values == (-0.1, 0.0, 0.1, 0.2)


finite = st.floats(-1e9, 1e9, allow_subnormal=False)


@given(finite, finite, st.integers(2, 40))
def test_a_slider_ends_exactly_where_it_was_told_and_its_stops_differ_for_python_and_reader(a, b, n):
    low, high = sorted((a, b))
    assume(high - low > 1e-6 * max(abs(low), abs(high)))
    field = only(x=(low, high, n))
    assert (field.values[0], field.values[-1], len(field.values)) == (low, high, n)
    assert list(field.values) == sorted(set(field.values)) and len(set(field.texts)) == n


def test_a_small_slider_keeps_its_stops():
    assert only(lr=(1e-7, 1e-5, 5)).values == (1e-7, 2.575e-6, 5.05e-6, 7.525e-6, 1e-5)
    with pytest.raises(ValueError, match="its ends are too close for 5 different stops"):
        only(x=(1.0, 1.0 + 1e-14, 5))


def test_a_slider_starts_in_the_middle_and_a_list_at_its_first_word():
    assert only(x=(0, 10)).at == 5
    assert only(x=["a", "b"]).at == 0


def test_start_and_labels_are_taken():
    (field,) = read_controls({"d_k": [1, 8, 64]}, {"d_k": 64}, {"d_k": "head width"})
    assert (field.values[field.at], field.label) == (64, "head width")


@pytest.mark.parametrize(
    ("spec", "texts"),
    [
        ((-1.0, 1.0, 4), ["−1", "−0.333", "0.333", "1"]),
        ([1.0, 1000.0], ["1", "1000"]),
        ([1.001, 1.002, 1.003], ["1.001", "1.002", "1.003"]),
        ([0.0001, 0.01, 100000.0], ["0.0001", "0.01", "100000"]),
        ([1e-7, 2.5e-6, 1e6], ["1e−7", "2.5e−6", "1e6"]),
        ([999.6, 1234.0], ["1000", "1234"]),
        ([0.0, -0.5], ["0", "−0.5"]),
        ([1, 2.5], ["1", "2.5"]),
        (["pre-norm", "post-norm"], ["pre-norm", "post-norm"]),
        (bool, ["off", "on"]),
    ],
)
def test_a_reader_sees_a_true_minus_and_the_fewest_digits_that_tell_stops_apart(spec, texts):
    assert only(x=spec).texts == texts


@pytest.mark.parametrize(
    ("controls", "start", "message"),
    [
        ({}, {}, "no control"),
        ({"x": 3}, {}, "cannot make a control of x=3"),
        ({"x": [1]}, {}, "at least two different"),
        ({"x": [True, False]}, {}, "cannot make a control"),
        ({"x": [[1], [2]]}, {}, "cannot make a control"),
        ({"x": (0.0, float("inf"))}, {}, "cannot make a control"),
        ({"x": (3, 1)}, {}, "low < high"),
        ({"x": (0.0, 1.0, 1)}, {}, "two stops"),
        ({"x": (0, 4)}, {"x": 5}, "x cannot start at 5: its stops are 0, 1, 2, 3, 4"),
        ({"x": (0, 4)}, {"y": 5}, "start names \\['y'\\], but the controls are \\['x'\\]"),
    ],
)
def test_what_cannot_be_read_says_how_to_write_it(controls, start, message):
    with pytest.raises(ValueError, match=message):
        read_controls(controls, start, {})
