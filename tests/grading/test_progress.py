"""Progress is kept, and never lost in silence."""

import json

from mtlib.exercises import every
from mtlib.grading import progress


def test_the_best_points_are_kept_and_a_pass_stays():
    progress.checked("attention.scores", 8, 8)
    progress.checked("attention.scores", 3, 8)
    assert progress.read("attention.scores") == {"points": 8, "of": 8, "passed": True, "checks": 2, "hints": 0}


def test_a_file_is_replaced_whole(own_home):
    progress.record("attention.scores", hints=1)
    progress.record("attention.scores", hints=2)
    assert [p.name for p in (own_home / "progress").iterdir()] == ["attention.scores.json"]


def test_an_unreadable_file_is_set_aside_with_a_line(own_home, capsys):
    progress.checked("attention.scores", 8, 8)
    path = own_home / "progress" / "attention.scores.json"
    for text in ("{ half", '{"points": "many"}', "[]"):
        path.write_text(text)
        assert progress.read("attention.scores")["points"] == 0
        assert len(capsys.readouterr().err.splitlines()) == 1
    aside = {p.name: p.read_text() for p in path.parent.iterdir()}
    assert aside["attention.scores.unreadable"] == "{ half" and len(aside) == 3


def test_a_home_that_cannot_be_written_costs_a_line_and_not_the_check(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MTLIB_HOME", str(tmp_path / "file"))
    progress.record("attention.scores", hints=1)
    assert "could not be saved" in capsys.readouterr().err


def test_the_table_adds_up():
    progress.checked("attention.scores", 8, 8)
    progress.checked("attention.heads", 2, 8)
    text = progress.table()
    assert f"10 of {sum(e.points for e in every())} points" in text
    assert "✓ attention.scores" in text and "… attention.heads" in text and "· attention.grouped" in text


def test_the_record_is_plain_json(own_home):
    progress.checked("attention.scores", 1, 8)
    record = json.loads((own_home / "progress" / "attention.scores.json").read_text())
    assert record["points"] == 1
