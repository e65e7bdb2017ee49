"""Figures as SVG: the same bytes, themable, with a text alternative, and faithful."""

import ast
import base64
import io
import re
import xml.etree.ElementTree as ET
from graphlib import TopologicalSorter
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest

import mtlib as mt
from mtlib.plot.axes import write

plot = mt.plot
SVG = "{http://www.w3.org/2000/svg}"


def parse(fig, **kw):
    """The picture as a tree; its namespace is what HTML gives it."""
    return ET.fromstring(plot.to_svg(fig, **kw).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))


def busy():
    fig, (a, b) = plot.canvas(cols=2)
    a.plot([0, 1, 2], [3, np.nan, 1], marker="o", label="a < b")
    a.set(xlabel="key", ylabel="weight $w_i$", title="a & b")
    a.legend()
    b.imshow(np.eye(3))
    b.set_xticks(range(3), ["the", "red", "car"], rotation=45, ha="right")
    return fig


def test_the_same_figure_gives_the_same_bytes():
    assert plot.to_svg(busy(), alt="x") == plot.to_svg(busy(), alt="x")


def test_drawing_leaves_the_figure_as_it_was():
    fig = mpl.figure.Figure(dpi=123)
    image = fig.add_subplot().imshow(np.eye(3))
    plot.to_svg(fig, alt="x")
    assert (fig.dpi, image.get_interpolation()) == (123, mpl.rcParams["image.interpolation"])


def test_house_style_changes_no_global_setting():
    before = dict(mpl.rcParams)
    plot.to_svg(busy(), alt="x")
    assert dict(mpl.rcParams) == before


def test_text_stays_text_and_markup_is_escaped():
    texts = [node.text for node in parse(busy()).iter(f"{SVG}text")]
    assert {"a & b", "a < b", "key", "the", "red", "car"} <= set(texts)


def test_a_picture_is_named_and_a_show_needs_a_name():
    assert parse(busy(), alt='He said "5 < 6"').get("aria-label") == 'He said "5 < 6"'
    with pytest.raises(ValueError, match="alt is empty"):
        plot.show(busy(), alt=" ")


def test_ink_follows_the_page_and_data_does_not():
    svg = plot.to_svg(busy(), alt="x")
    assert 'fill="currentColor"' in svg and plot.INK not in svg and "#000000" not in svg
    fig, ax = plot.canvas()
    ax.axhline(0, color="#123456")
    assert 'stroke="#123456"' in plot.to_svg(fig)


def test_every_number_of_a_matrix_is_a_cell_of_its_colour():
    fig, ax = plot.canvas(320, 320)
    values = np.arange(12).reshape(3, 4) / 11
    image = ax.imshow(values, vmin=0, vmax=1, aspect="auto")
    cells = [node for node in parse(fig).iter(f"{SVG}rect") if float(node.get("width")) > 50]
    top_left_first = sorted(cells, key=lambda node: (float(node.get("y")), float(node.get("x"))))
    wanted = [mpl.colors.to_hex(color / 255) for color in image.to_rgba(values, bytes=True).reshape(-1, 4)]
    assert [node.get("fill") for node in top_left_first] == wanted


def test_bars_stand_where_their_values_are():
    fig, ax = plot.canvas(300, 200, margins=(50, 50, 50, 50))
    ax.bar([0, 1], [0.25, 1.0], width=1)
    ax.set(xlim=(-0.5, 1.5), ylim=(0, 1))
    bars = [node for node in parse(fig).iter(f"{SVG}rect")]
    assert [(node.get("x"), node.get("y"), node.get("width"), node.get("height")) for node in bars] == [
        ("50", "125", "100", "25"), ("150", "50", "100", "100")]  # fmt: skip


def test_the_fast_axis_draws_what_matplotlib_would():
    def texts(fig):
        return sorted((node.text, round(float(node.get("x"))), round(float(node.get("y")))) for node in parse(fig).iter(f"{SVG}text"))

    fast, ax = plot.canvas()
    ax.plot([0, 7], [-1, 2.5])
    slow, bx = plot.canvas()
    bx.plot([0, 7], [-1, 2.5])
    bx.get_xticklabels(), bx.get_yticklabels()  # asked for one by one: matplotlib's own way from here on
    assert len(bx.xaxis.majorTicks) > 1
    assert texts(fast) == texts(slow)


def test_words_in_cells_are_centred():
    fig, ax = plot.canvas(200, 200, margins=(50, 50, 50, 50))
    ax.set(xlim=(0, 2), ylim=(0, 2), xticks=[], yticks=[])
    write(ax, [(1, 1)], ["0.50"], ["#fefefe"])
    (text,) = parse(fig).iter(f"{SVG}text")
    assert (text.text, text.get("x"), text.get("text-anchor"), text.get("fill")) == ("0.50", "100", "middle", "#fefefe")
    assert 100 < float(text.get("y")) < 106


def test_text_on_a_cell_reads_on_every_level_of_both_maps():
    def luminance(color):
        rgb = np.array(mpl.colors.to_rgb(color))
        return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]

    plot.canvas()  # registers the maps
    for name in (plot.SEQUENTIAL, plot.DIVERGING):
        for level in mpl.colormaps[name](np.linspace(0, 1, 64))[:, :3]:
            light, dark = sorted((luminance(level), luminance(plot.text_on(level))), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_no_room_is_one_clear_line():
    with pytest.raises(ValueError, match="leave 1x4 axes no room in 200x320 px"):
        plot.canvas(200, cols=4)


def test_what_cannot_be_drawn_says_so():
    fig, ax = plot.canvas()
    ax.bar([0], [1], hatch="//")
    with pytest.raises(NotImplementedError, match="hatches"):
        plot.to_svg(fig)


def test_an_image_has_the_house_colours_unless_it_names_others():
    fig, ax = plot.canvas()
    assert ax.imshow(np.eye(2)).get_cmap().name == plot.SEQUENTIAL
    assert ax.imshow(np.eye(2), cmap=plot.DIVERGING).get_cmap().name == plot.DIVERGING


def test_the_files_of_a_package_import_one_another_one_way():
    for package in (plot, mt.widgets):
        files = list(Path(package.__file__).parent.glob("*.py"))
        tuple(TopologicalSorter({path.stem: siblings(path) for path in files}).static_order())  # CycleError names the circle


def siblings(path):
    """The files beside this one that it imports, anywhere in it: `from .x import y`, `from . import x`."""
    relative = [node for node in ast.walk(ast.parse(path.read_text("utf8"))) if isinstance(node, ast.ImportFrom) and node.level == 1]
    return {name for node in relative for name in ([node.module] if node.module else [alias.name for alias in node.names])}


@pytest.mark.parametrize("origin", ["upper", "lower"])
def test_an_image_of_many_cells_stands_upright_whichever_row_is_first(origin):
    fig, ax = mt.plot.canvas()
    values = np.zeros((100, 64))
    values[:10] = 1.0
    ax.imshow(values, aspect="auto", origin=origin)
    found = re.search(r'<image x="[\d.]+" y="[\d.]+" width="[\d.]+" height="([\d.]+)".*?base64,([^"]+)"', mt.plot.to_svg(fig, alt="x"))
    assert found and float(found[1]) > 0
    pixels = mpl.image.imread(io.BytesIO(base64.b64decode(found[2])))[..., :3]
    dark = [rows.mean() for rows in (pixels[:10], pixels[-10:])]
    assert (dark[0] < dark[1]) == (origin == "upper")
