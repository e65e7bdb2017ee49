"""What chapter 02 leans on: its experiments measure what they say."""

import pytest
import torch

from mtlib.data.batch import held_out
from mtlib.experiments import alignment, bottleneck, first_letter, kept
from mtlib.recurrent import LSTM, RNN

pytestmark = pytest.mark.ch02


def test_the_forget_gate_alone_is_biased():
    torch.manual_seed(0)
    plain = LSTM(3, 4, n_layers=2)
    before = [cell.x_proj.bias.clone() for cell in plain.cells]
    first_letter.bias_forget_gate(plain, 2.0)
    for cell, was in zip(plain.cells, before):
        change = cell.x_proj.bias - was
        torch.testing.assert_close(change, torch.tensor([0.0] * 4 + [2.0] * 4 + [0.0] * 8))


def test_the_gradient_by_place_is_that_of_the_last_output_alone():
    core = RNN(3, 4)
    x = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(0))
    assert (first_letter.gradient_by_place(core, x) > 0).all()
    only_the_last = first_letter.gradient_by_place(torch.nn.Identity(), x)
    torch.testing.assert_close(only_the_last, torch.tensor([0.0, 0.0, 0.0, 0.0, 1.0]))


@pytest.mark.parametrize("variant", first_letter.VARIANTS)
def test_every_reader_names_one_of_the_letters(variant):
    logits = first_letter.Reader(variant, 6)(torch.randint(0, first_letter.V, (3, 6)))
    assert logits.shape == (3, first_letter.V)


def test_mixed_lengths_come_again_and_keep_what_is_held_out():
    data = bottleneck.Mixed()
    lengths = set()
    for step in range(30):
        batch = data.batch(step, 4)
        assert torch.equal(batch.inputs[0], data.batch(step, 4).inputs[0])
        lengths.add(batch.inputs[0].size(1))
    assert len(lengths) > 8 and max(lengths) <= bottleneck.LONGEST
    letters = data.tasks[0].tokenizer
    assert all(held_out(letters.decode(row)) for row in data.batch(0, 4, split="valid").inputs[0])


def test_the_days_drawn_are_held_out():
    assert all(held_out(day.isoformat()) for day in alignment.DAYS)


def test_what_the_attention_was_asked_gives_its_weights_again():
    model, data = _fresh()
    source, inputs, keep = data.batch(0, 2).inputs
    query, memory, weights = alignment.looks(model, source, inputs, keep)
    student = alignment.Additive()
    student.one.load_state_dict(model.attention.state_dict())
    again = student(query, memory).masked_fill(~keep[:, 0], float("-inf")).softmax(dim=-1)
    torch.testing.assert_close(again, weights)


def _fresh():
    data = alignment.Dates("es")
    torch.manual_seed(0)
    model = alignment.AttentiveSeq2Seq(source_vocab=data.vocab, vocab=data.vocab, d_model=alignment.D)
    return model.eval(), data


def test_an_rnn_of_the_kept_runs_comes_out_again():
    then = next(row for row in kept("first_letter") if (row["variant"], row["length"], row["seed"]) == ("RNN", 10, 0))
    now = first_letter.right(first_letter.train("RNN", 10, 0), 10)
    assert now == pytest.approx(then["right"], abs=0.1)
