"""The picture of an encoder: its boxes are the model's, its shapes those of the run."""

import pytest
import torch

import mtlib as mt
from mtlib.plot import encoder_diagram

IDS = torch.tensor([[3, 1, 4]])


def config(**parts):
    return mt.ModelConfig(vocab=9, max_len=4, d_model=8, n_heads=2, n_layers=3, parts=mt.Parts(**parts))


def words(fig):
    return [text.get_text() for text in fig.axes[0].texts if text.get_text()]


def test_boxes_of_a_classifier_in_the_order_of_the_run():
    model = mt.Transformer(config(placement="post", position="sinusoidal"), n_classes=5, pool=mt.MaxPool())
    boxes = [word for word in words(encoder_diagram(model, IDS)) if not word.startswith(("(", "×"))]
    assert boxes == [
        "token ids", "table of 9 rows", "+ position, sinusoidal", "norm", "self-attention, 2 heads", "add & norm",
        "FFN, to 32 and back", "add & norm", "MaxPool", "linear, 5 classes", "softmax",
    ]  # fmt: skip


def test_a_pre_norm_block_has_its_norms_before_and_one_at_the_end():
    boxes = [word for word in words(encoder_diagram(mt.Encoder(config()), IDS)) if not word.startswith(("(", "×"))]
    assert boxes[3:] == ["norm", "self-attention, 2 heads", "add", "norm", "FFN, to 32 and back", "add", "norm"]


def test_shapes_are_those_that_passed():
    model = mt.Transformer(config(), n_classes=5)
    shapes = [word for word in words(encoder_diagram(model, IDS)) if word.startswith("(")]
    assert shapes == ["(1, 3)", *["(1, 3, 8)"] * 9, "(1, 8)", "(1, 5)", "(1, 5)"]


@pytest.mark.parametrize("placement", ["pre", "post"])
def test_no_word_stands_on_another_or_outside(placement):
    fig = encoder_diagram(mt.Encoder(config(placement=placement)), IDS)
    low, high = fig.axes[0].get_ylim()
    heights = sorted(text.get_position()[1] for text in fig.axes[0].texts if text.get_text()[:1] not in ("", "×"))
    assert low < heights[0] and heights[-1] < high
    assert min(b - a for a, b in zip(heights, heights[1:])) > 0.3
