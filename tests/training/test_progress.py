"""What is seen of a run, and what is not when it is to be quiet."""

import IPython.display
import pytest
import torch

from mtlib.training import Record, fit, progress
from mtlib.training.evaluate import Scores
from mtlib.training.record import Eval

from .toys import Copies, config, decoder


def test_a_quiet_run_says_nothing(capfd):
    fit(decoder(), Copies(), config(steps=3), quiet=True)
    assert capfd.readouterr() == ("", "")


def test_a_terminal_sees_a_bar_and_the_scores(capfd):
    fit(decoder(), Copies(), config(steps=3, eval_every=2))
    out, err = capfd.readouterr()
    assert "3/3" in err and "loss" in err
    assert [line.split()[1] for line in (out + err).splitlines() if "held-out" in line] == ["0", "2", "3"]


def test_without_tqdm_the_scores_are_still_said(capfd, monkeypatch):
    monkeypatch.setattr(progress, "_bar", lambda total, done: None)
    fit(decoder(), Copies(), config(steps=3))
    assert capfd.readouterr().out.count("held-out") == 2


def test_a_notebook_sees_the_curve_grow_and_ends_with_the_whole(monkeypatch):
    shown = []

    class Handle:
        def update(self, record):
            shown.append(len(record.losses))

    monkeypatch.setattr(progress, "in_notebook", lambda: True)
    monkeypatch.setattr(progress, "_bar", lambda total, done: None)
    monkeypatch.setattr(progress, "REDRAW", 0.0)
    monkeypatch.setattr(IPython.display, "display", lambda record, display_id: shown.append(len(record.losses)) or Handle())
    fit(decoder(), Copies(), config(steps=3))
    assert shown == [0, 1, 2, 3, 3]


def test_a_records_picture_names_the_yardsticks_and_says_its_end():
    record = Record([3.0, 2.0, 1.0], [1.0] * 3, [Eval(0, Scores(3.1, 0, 0, 1, 1, 8))], {"uniform": 2.08, "unigram": 1.9})
    html = record._repr_html_()
    assert "uniform" in html and "unigram" in html and "nats a token" in html
    assert "ends at 1 " in html and "3.1 on held-out" in html
    assert repr(record) == "<Record of 3 updates, loss 1.0000, held-out 3.1000>"
    assert repr(Record()) == Record()._repr_html_() == "<Record of 0 updates>"


def test_smoothing_is_the_mean_at_first_and_flattens_a_saw():
    record = Record(losses=[1.0, 3.0] * 200)
    smooth = record.smooth(share=0.1)
    assert smooth[0] == 1.0 and smooth[-1] == pytest.approx(2, abs=0.05)
    assert len(record.curve()) == 200 and record.curve(points=7)[0] == (0, 1.0)


def test_compile_is_asked_for_by_a_line(monkeypatch):
    compiled = []
    monkeypatch.setattr(torch, "compile", lambda f: compiled.append(f) or f)
    fit(decoder(), Copies(), config(steps=3), quiet=True)
    assert compiled == []
    fit(decoder(), Copies(), config(steps=3, compile=True), quiet=True)
    assert len(compiled) == 1
