"""Table: one content, three looks, and nothing that changes it."""

import re
import sys
from dataclasses import FrozenInstanceError
from typing import NamedTuple

import pytest

import mtlib as mt
from mtlib.table import Table


class Row(NamedTuple):
    name: str
    letters: str
    how_many: int | None


ROWS = Row("a", "B T", 1234), Row("<b & c>", "", None)
TABLE = Table(ROWS, caption='Of "things" <x>', foot=(Row("all", "", 1234),), notes=("1 < 2",))


def test_text_stands_in_columns_numbers_at_the_right():
    assert repr(TABLE).splitlines() == [
        'Of "things" <x>',
        "name     letters  how many",
        "a        B T         1,234",
        "<b & c>",
        "--------------------------",
        "all                  1,234",
        "1 < 2",
    ]


def test_html_is_escaped_captioned_headed_and_without_scripts():
    html = TABLE._repr_html_()
    assert "<caption>Of &quot;things&quot; &lt;x&gt;</caption>" in html
    assert "&lt;b &amp; c&gt;" in html and "1 &lt; 2" in html
    assert html.count('<th scope="col"') == 3 and html.count('<th scope="row"') == 3  # two rows and the foot
    assert "<script" not in html and " on" not in re.sub(r">[^<]*<", "><", html)
    opened, closed = re.findall(r"<(\w+)", html), re.findall(r"</(\w+)", html)
    assert sorted(opened) == sorted(closed)
    assert 'tabindex="0"' in html  # what scrolls sideways can be reached by keyboard


def test_a_frame_holds_the_rows_as_they_are():
    config = mt.ModelConfig(vocab=5, max_len=4, d_model=4, n_heads=2, n_layers=2)
    frame = mt.DecoderLM(config).get_dimensions().to_frame()
    assert list(frame.columns) == ["name", "path", "letters", "shape", "meaning"]
    assert frame["shape"][0] == (1, 4) and frame["name"].iloc[-1] == "logits"


def test_without_pandas_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="^to_frame\\(\\) needs pandas, which is not installed: pip install pandas$"):
        TABLE.to_frame()


def test_rows_are_counted_taken_and_looped_over_without_the_foot():
    assert len(TABLE) == 2 and TABLE[0].how_many == 1234 and TABLE[-1] in TABLE
    assert [row.name for row in TABLE] == ["a", "<b & c>"] and TABLE[:1] == (TABLE[0],)


@pytest.mark.usefixtures("shapes_unchecked")
def test_a_table_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        TABLE.caption = "another"
    with pytest.raises(TypeError):
        TABLE[0] = TABLE[1]
    rows = [Row("a", "", 1)]
    table = Table(rows, caption="")
    rows.append(Row("b", "", 2))
    assert len(table) == 1


@pytest.mark.usefixtures("shapes_unchecked")
@pytest.mark.parametrize("rows, said", [((), "no rows at all"), ((ROWS[0], (1, 2)), "Row, tuple"), (((1, 2),), "tuple")])
def test_rows_that_are_not_of_one_kind_are_refused(rows, said):
    with pytest.raises(ValueError, match=f"rows holds {said}; a table takes one or more NamedTuples of one kind"):
        Table(rows, caption="")
