"""Frames that differ in a few numbers come back exactly, from little."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtlib.widgets.pack import pack, unpack

numbers = st.integers(-999, 999).map(lambda n: f"{n / 10:g}")
words = st.text(st.characters(exclude_characters="<>\n\0", exclude_categories=["Cs"]), min_size=1, max_size=5)
marks = st.one_of(
    st.builds('<rect x="{}" fill="#{:06x}"/>'.format, numbers, st.integers(0, 0xFFFFFF)),
    st.builds('<text y="{}" fill="currentColor">{}</text>'.format, numbers, words),
    st.builds('<path d="M{} {}L{} {}" stroke="var(--mt-blue,#2f6fb2)"/>'.format, *[numbers] * 4),
)
frames = st.lists(st.lists(marks, max_size=4).map("".join), min_size=1, max_size=12)


@given(frames)
def test_unpacking_gives_the_frames_back(frames):
    assert unpack(json.loads(json.dumps(pack(frames)))) == frames


def test_equal_frames_are_stored_once():
    packed = pack(["<a>1</a>", "<a>2</a>", "<a>1</a>"])
    assert packed["at"] == [[0, 0], [0, 1], [0, 0]]
    assert packed["forms"][0]["plain"] == ["1\n2"]


def test_what_never_differs_is_stored_once():
    packed = pack([f'<rect width="30" fill="#336699" x="{i}"/>' for i in range(50)])
    assert packed["forms"][0]["text"] == ['<rect width="30" fill="#336699" x="', '"/>']


def test_few_different_words_are_spelled_as_letters():
    packed = pack([f'<rect x="{i}" fill="#{i % 3:06x}"/>' for i in range(60)])
    (column,) = packed["forms"][0]["coded"]
    assert len(column) == 60 and len(set(column)) == 3


def test_a_line_break_is_refused():
    with pytest.raises(ValueError, match="line break"):
        pack(["<a>1</a>\n"])
