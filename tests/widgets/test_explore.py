"""The same call in both hosts: a live notebook and the built page."""

import gzip
import json
import re

import ipywidgets
import pytest
import torch

import mtlib as mt
from mtlib.widgets.pack import unpack

SCORES = torch.tensor([2.0, 1.0, 0.1, -1.0])


def bars(temperature, grid):
    fig, ax = mt.plot.canvas(height=240)
    ax.bar(range(4), torch.softmax(SCORES / temperature, 0))
    ax.set(ylim=(0, 1), title=f"temperature {temperature:g}")
    ax.grid(grid)
    return fig


def says(temperature, grid):
    return f"At {temperature:g} < 9 the largest weight is {torch.softmax(SCORES / temperature, 0).max():.2f}."


def explore(draw=bars, **changes):
    return mt.widgets.explore(draw, **{"temperature": (0.5, 2.0, 4), "grid": bool, "alt": says, "ask": "Flat when?"} | changes)


@pytest.fixture
def page(monkeypatch):
    """As in the book's build."""
    monkeypatch.setenv("MTLIB_STATIC", "1")


def state(html):
    return json.loads(re.search(r'<script type="application/json">(.*)</script>', html)[1])


def test_live_every_move_redraws():
    control = explore()
    ask, row, picture, sentence = control.children
    slider, box = row.children
    seen = [picture.value + sentence.value]
    slider.value = 2.0
    seen.append(picture.value + sentence.value)
    box.value = True
    seen.append(picture.value + sentence.value)
    assert len(set(seen)) == 3
    assert "Flat when?" in ask.value and "At 2 &lt; 9" in sentence.value
    assert isinstance(slider, ipywidgets.SelectionSlider) and isinstance(box, ipywidgets.Checkbox)


def test_live_an_error_while_drawing_is_shown_and_raised():
    def broken(temperature, grid):
        if temperature > 1.5:
            raise ValueError("temperature <too> high")
        return bars(temperature, grid)

    control = explore(broken)
    with pytest.raises(ValueError, match="too"):
        control.children[1].children[0].value = 2.0
    assert "ValueError</b>: temperature &lt;too&gt; high" in control.children[3].value


def test_the_page_holds_exactly_the_frames_that_python_draws(page):
    html = explore()._repr_html_()
    held = state(html)
    uid = re.search(r'id="(mt-explore-\d+)"', html)[1]
    drawn = [(t, g) for t in (0.5, 1.0, 1.5, 2.0) for g in (False, True)]
    assert unpack(held["pictures"]) == [mt.plot.to_svg(bars(*s), labelled_by=f"{uid}-says") for s in drawn]
    assert unpack(held["says"]) == [says(*s) for s in drawn]
    assert held["stops"] == [["0.5", "1", "1.5", "2"], ["off", "on"]]


def test_the_page_shows_the_first_setting_without_a_script(page):
    html = explore(start={"temperature": 2.0})._repr_html_()
    before_script = html.split("<script")[0]
    assert ">temperature 2</text>" in before_script
    assert says(2.0, False).replace("<", "&lt;") in before_script
    assert "<fieldset disabled>" in before_script and "<noscript>" in before_script


def test_no_text_can_end_the_script_element(page):
    html = explore(alt="a </script> b")._repr_html_()
    assert html.count("</script>") == 1
    assert unpack(state(html)["says"])[0] == "a </script> b"


def test_every_field_has_its_label_and_ids_are_unique(page):
    html = explore(kind=["a", "b"], draw=lambda kind, **kw: bars(**kw), alt="x")._repr_html_() + explore()._repr_html_()
    ids = re.findall(r'\bid="([^"]+)"', html)
    fields = re.findall(r'<(?:input|select) id="([^"]+)"', html)
    assert len(ids) == len(set(ids)) and len(fields) == 5
    assert set(fields) == set(re.findall(r'<label for="([^"]+)"', html))


def test_a_72_frame_heat_map_fits_40_kB_and_a_40_frame_bar_chart_10(page):
    weights = torch.softmax(torch.randn(6, 12, 12, 12) * 2, -1)
    words = [f"word{i}" for i in range(12)]

    def heads(layer, head):
        fig, ax = mt.plot.canvas(560, 500, margins=(70, 16, 36, 70))
        mt.plot.heatmap(ax, weights[layer, head], words, words, numbers="{:.2f}")
        ax.set_title(f"layer {layer}, head {head}")
        return fig

    heat = mt.widgets.explore(heads, layer=(0, 5), head=(0, 11), ask="Which?", alt=lambda layer, head: f"Layer {layer}, head {head}.")
    line = mt.widgets.explore(lambda t: bars(t, True), t=(0.1, 4.0, 40), ask="Flat?", alt=lambda t: says(t, True))
    size = [len(gzip.compress(control._repr_html_().encode())) for control in (heat, line)]
    assert size[0] < 40_000 and size[1] < 10_000, size


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"ask": " "}, ValueError, "ask is empty"),
        ({"alt": ""}, ValueError, "alt is empty at {'temperature': 1.5, 'grid': False}"),
        ({"draw": lambda **kw: None}, TypeError, "returned NoneType.*return fig"),
        ({"temperature": (0.0, 1.0, 300)}, ValueError, "temperature 300 x grid 2 = 600 frames, above 400"),
    ],
)
def test_a_wrong_call_says_what_to_write(changes, error, message):
    with pytest.raises(error, match=message):
        explore(**changes)
