"""The picture of a block: its numbers are those of the run, its norms stand where the block has them."""

import pytest
import torch

import mtlib as mt
from mtlib.plot.stream import residual_diagram


def drawn(placement):
    torch.manual_seed(0)
    config = mt.ModelConfig(vocab=9, max_len=4, d_model=8, n_heads=2, n_layers=1, parts=mt.Parts(placement=placement))
    block, x = mt.EncoderBlock(config), torch.randn(1, 3, 8)
    fig = residual_diagram(block, x)
    with torch.no_grad(), mt.trace(block) as t:
        block(x)
    boxes = {text.get_text().split("\n")[0]: text for text in fig.axes[0].texts if "\n" in text.get_text()}
    return fig, boxes, t


@pytest.mark.parametrize(("placement", "stations"), [("pre", ("resid_mid", "resid_post")), ("post", ("norm1", "norm2"))])
def test_each_box_has_the_size_that_passed(placement, stations):
    _, boxes, t = drawn(placement)
    for name in ("attn", "ffn", "norm1", "norm2", *stations):
        assert boxes[name].get_text() == f"{name}\nsize {t[name].square().mean().sqrt().item():.2f}"


def test_the_norm_is_beside_the_road_in_pre_and_on_it_in_post():
    for placement, on_the_road in (("pre", False), ("post", True)):
        fig, boxes, _ = drawn(placement)
        road = boxes["x (1, 3, 8)"].get_position()[0]
        assert (boxes["norm1"].get_position()[0] == road) is on_the_road
        assert boxes["attn"].get_position()[0] != road


@pytest.mark.parametrize("placement", ["pre", "post"])
def test_nothing_is_drawn_outside_the_picture(placement):
    fig, boxes, _ = drawn(placement)
    (low, high), (left, right) = fig.axes[0].get_ylim(), fig.axes[0].get_xlim()
    for text in boxes.values():
        x, y = text.get_position()
        assert left + 0.9 < x < right - 0.9 and low + 0.3 < y < high - 0.3
