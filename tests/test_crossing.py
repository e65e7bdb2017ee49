"""What chapter 11 leans on: its experiments measure what they say, and its picture shows what ran."""

import pytest
import torch

import mtlib as mt
from mtlib.data import BOS, EOS, PAD
from mtlib.data.batch import IGNORE
from mtlib.experiments import crossing, three_shapes, translator
from mtlib.experiments.year import Year
from mtlib.plot import GREEN, GREY, ORANGE
from mtlib.plot.decoder import blocks_diagram

pytestmark = pytest.mark.ch11


@pytest.fixture(scope="module")
def square():
    return crossing.Square()


def test_source_and_answer_are_equally_long_and_nothing_is_lost(square):
    (source, inputs, keep), targets = square.batch(0, 4)
    assert source.shape == inputs.shape == targets.shape == (4, square.max_len) and keep.shape == (4, 1, 1, square.max_len)
    texts = square.year.texts(0, 4)
    assert [square.tokenizer.decode(row) for row in source] == [text for text, _ in texts]
    assert [[square.tokenizer.decode(row[row != IGNORE])] for row in targets] == [answers for _, answers in texts]


def test_with_the_roles_swapped_the_memory_asks():
    plain, swapped = mt.MultiHeadAttention(8, 2), crossing.Swapped(8, 2)
    swapped.load_state_dict(plain.state_dict())
    x, memory = torch.randn(1, 3, 8), torch.randn(1, 5, 8)
    torch.testing.assert_close(swapped(x, context=memory), plain(memory, context=x))
    assert not crossing.Nothing(8, 2)(x, context=memory).any()


@pytest.mark.parametrize("variant", crossing.VARIANTS)
def test_variants_begin_alike_and_only_the_open_one_sees_ahead(variant, square):
    torch.manual_seed(0)
    plain = crossing.build("as it is", square)
    torch.manual_seed(0)
    model = crossing.build(variant, square).eval()
    assert all(torch.equal(a, b) for a, b in zip(plain.state_dict().values(), model.state_dict().values(), strict=True))
    (source, inputs, keep), _ = square.batch(0, 2)
    later = inputs.clone()
    later[:, 6] = torch.where(inputs[:, 6] == 5, 6, 5)
    moved = (model(source, inputs, keep) - model(source, later, keep)).abs().amax(dim=(0, 2)) > 1e-6
    assert moved[6:].any() and moved[:6].any() == (variant == "roles swapped, no triangle")


def test_writing_is_greedy_and_is_judged_to_the_end_sign(square):
    torch.manual_seed(1)
    model = crossing.build("as it is", square).eval()
    (source, _, keep), _ = square.batch(0, 2)
    written = crossing.write(model, source, 5)
    reader = mt.generation.Given(model, source, keep)
    assert written.tolist() == mt.generate(reader, [[BOS]] * 2, max_new=5)
    assert crossing.score(model, square)["alone"] == 0


@pytest.mark.parametrize("answers", three_shapes.LANGUAGES)
def test_the_three_shapes_have_as_many_weights(answers):
    sizes = []
    for shape in three_shapes.SHAPES:
        model = three_shapes.build(shape, three_shapes.Days(shape, answers))
        sizes.append(sum(weight.numel() for weight in model.parameters()))
    assert max(sizes) < 1.01 * min(sizes)


@pytest.mark.parametrize("shape", three_shapes.SHAPES)
def test_every_shape_is_asked_for_one_of_the_right_answers(shape):
    data = three_shapes.Days(shape, "two answers")
    inputs, targets = data.batch(0, 12)
    texts = data.year.texts(0, 12)
    asked = [data.tokenizer.decode(row[row != IGNORE]) for row in targets]
    assert all(said in right for said, (_, right) in zip(asked, texts))
    assert 0 < sum(said == right[0] for said, (_, right) in zip(asked, texts)) < 12  # both languages come
    read = [data.tokenizer.decode(row[row != PAD][: len(source)]) for row, (source, _) in zip(inputs[0], texts)]
    assert read == [source for source, _ in texts]
    assert torch.equal(targets, data.batch(0, 12)[1])
    model = three_shapes.build(shape, data).eval()
    assert model(*inputs).shape[:2] == targets.shape and len(three_shapes.write(model, data, [texts[0][0]])) == 1


def test_the_drawing_colours_what_is_new():
    torch.manual_seed(0)
    config = mt.ModelConfig(vocab=9, max_len=4, d_model=8, n_heads=2, n_layers=1)
    blocks = {"a": mt.EncoderBlock(config), "b": mt.DecoderBlock(config), "c": mt.DecoderBlock(config, cross=True)}
    fig = blocks_diagram(blocks, torch.randn(1, 3, 8), torch.randn(1, 4, 8))
    words = [text.get_text() for text in fig.axes[0].texts]
    assert [words.count(word) for word in ("self-attention", "look across", "norm", "add", "FFN")] == [3, 1, 7, 7, 3]
    from matplotlib.colors import to_hex

    boxes = [to_hex(patch.get_edgecolor()) for patch in fig.axes[0].patches if hasattr(patch, "get_boxstyle")]
    assert [boxes.count(colour) for colour in (GREY, ORANGE, GREEN)] == [6 + 5 + 5, 2, 3]
    low, high = fig.axes[0].get_ylim()
    assert all(low < text.get_position()[1] < high for text in fig.axes[0].texts)


def test_no_held_out_day_is_trained_on_and_its_month_is():
    days = Year("es", "fr").days
    trained, held = ({source for source, _ in days[split]} for split in ("train", "valid"))
    assert len(trained) + len(held) == 366 and not trained & held
    assert {source.split(" ")[0] for source in held} <= {source.split(" ")[0] for source in trained}


def test_kept_weights_come_back_as_they_were_rounded():
    data = translator.Dates("es")
    model = translator.build(data)
    again = translator.from_text(translator.to_text(model), data)
    for a, b in zip(model.state_dict().values(), again.state_dict().values(), strict=True):
        torch.testing.assert_close(b, a.half().float(), rtol=0, atol=0)


def test_end_and_start_are_no_letters():
    data = three_shapes.Days("decoder", "one answer")
    (row,), targets = data.batch(0, 1)
    assert (row == BOS).sum() == 1 and (targets == EOS).sum() == 1
