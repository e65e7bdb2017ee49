"""A run: it learns, it repeats, its pieces add up, it stops well."""

import math
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import mtlib as mt
from mtlib.training import NotFinite, Update, evaluate, fit, yardsticks

from .toys import Copies, Rows, config, decoder


def same(a, b):
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


def test_it_learns_and_measures_itself_against_those_who_look_at_nothing():
    model = decoder()
    record = fit(model, Copies(), config(steps=150, batch=32, lr=1e-2, eval_rows=64), quiet=True)
    first, last = record.evals[0].scores, record.evals[-1].scores
    assert (record.evals[0].step, record.evals[-1].step) == (0, 150)
    assert first.loss == pytest.approx(record.yardsticks["uniform"], abs=0.1) and record.yardsticks["uniform"] == math.log(8)
    assert record.yardsticks["unigram"] == pytest.approx(math.log(7), abs=0.1)
    assert last.exact > 0.9 and last.loss < 0.3 and len(record.losses) == 150


def test_seeded_runs_repeat_to_the_bit_dropout_and_all():
    runs = []
    for noise in 1, 2:
        model = decoder(dropout=0.2)
        torch.manual_seed(noise)  # the caller's random state is no part of it
        runs.append((model, fit(model, Copies(), config(), quiet=True)))
    assert runs[0][1].losses == runs[1][1].losses and same(runs[0][0], runs[1][0])
    other = decoder(dropout=0.2)
    assert fit(other, Copies(), config(seed=1), quiet=True).losses != runs[0][1].losses


def test_the_callers_random_state_is_left_as_it_was():
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    fit(model := decoder_kept(), Copies(), config(steps=3), quiet=True)
    assert model.training
    assert torch.equal(torch.rand(2), expected)


def decoder_kept():
    with torch.random.fork_rng():
        return decoder()


@pytest.mark.parametrize("n", [2, 4, 8])
def test_a_batch_in_pieces_is_the_same_update(n):
    whole, pieces = decoder().double(), decoder().double()
    a = fit(whole, Copies(), config(), quiet=True)
    b = fit(pieces, Copies(), config(accumulate=n), quiet=True)
    assert b.losses == pytest.approx(a.losses, rel=0, abs=1e-12)
    assert b.norms == pytest.approx(a.norms, rel=0, abs=1e-10)


def test_an_update_is_adamw_on_the_mean_over_asked_tokens():
    ours, theirs, data = decoder().double(), decoder().double(), Copies()
    train = config(clip=0.01, weight_decay=0.0, label_smoothing=0.1)
    batch = data.batch(0, 8)
    loss, norm = Update(ours, train)(0, batch).tolist()
    optimiser = torch.optim.AdamW(theirs.parameters(), lr=train.learning_rate(0), betas=train.betas, weight_decay=0.0)
    expected = torch.nn.functional.cross_entropy(theirs(*batch.inputs).flatten(0, 1), batch.targets.flatten(), label_smoothing=0.1)
    expected.backward()
    expected_norm = torch.nn.utils.clip_grad_norm_(theirs.parameters(), 0.01)
    optimiser.step()
    assert loss == pytest.approx(expected.item()) and norm == pytest.approx(expected_norm.item())
    for a, b in zip(ours.parameters(), theirs.parameters()):
        torch.testing.assert_close(a, b)


def test_a_loss_that_is_no_number_ends_the_run_and_names_step_and_rate(tmp_path):
    model = decoder()
    data = Copies()
    fit(model, data, config(steps=2, warmup=0), out=tmp_path / "good", quiet=True)
    with torch.no_grad():
        model.norm.weight[0] = float("inf")
    with pytest.raises(NotFinite, match=r"the loss is nan at step 0, where the learning rate is 0.0015"):
        fit(model, data, config(), out=tmp_path / "bad", quiet=True)
    assert not list((tmp_path / "bad").glob("checkpoints/step-*"))


def test_scores_count_tokens_and_whole_rows():
    class Fixed(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.p = torch.nn.Parameter(torch.zeros(()))

        def forward(self, ids):
            return torch.nn.functional.one_hot(ids, 4).float() * 50 + self.p

    class Data:
        def batch(self, step, size, *, split="train", seed=0):
            return Rows((torch.tensor([[1, 2], [3, 0]]),), torch.tensor([[1, 2], [2, -100]]))

    scores = evaluate(Fixed(), Data(), rows=2, batch=2)
    assert (scores.accuracy, scores.exact, scores.tokens, scores.rows, scores.choices) == (2 / 3, 0.5, 3, 2, 4)
    assert scores.loss == pytest.approx(50 / 3)


def test_a_classifier_and_a_translator_train_by_the_same_call():
    class Classes(Copies):
        def batch(self, step, size, **which):
            (ids,), _ = super().batch(step, size, **which)
            return Rows((ids, mt.padding_keep(ids, 0)), ids[:, 0] % 2)

    class Reversed(Copies):
        def batch(self, step, size, **which):
            (ids,), _ = super().batch(step, size, **which)
            target = ids[:, :4].flip(1)
            return Rows((ids[:, :4], target.roll(1, 1) * torch.tensor([0, 1, 1, 1]), mt.padding_keep(ids[:, :4], 0)), target)

    sizes = mt.ModelConfig(vocab=8, max_len=7, d_model=16, n_heads=2, n_layers=1)
    for model, data in (mt.Transformer(sizes, n_classes=2), Classes()), (mt.EncoderDecoder(sizes), Reversed()):
        record = fit(model, data, config(steps=60, batch=32, lr=1e-2), quiet=True)
        assert record.evals[-1].scores.loss < 0.8 * record.evals[0].scores.loss


def test_two_texts_are_told_from_the_others_of_their_batch():
    class Pairs(Copies):
        def batch(self, step, size, **which):
            (ids,), _ = super().batch(step, size, **which)
            return Rows((ids, ids.flip(1)), None)

    class Both(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.tok = torch.nn.Embedding(8, 8)

        def forward(self, a, b):
            return self.tok(a).mean(1), self.tok(b).mean(1)

    model = Both()
    record = fit(model, Pairs(), config(steps=20), quiet=True)
    assert record.yardsticks == {} and record.evals[-1].scores.accuracy > 0.9
    with pytest.raises(ValueError, match="a contrastive batch must stay whole"):
        fit(model, Pairs(), config(accumulate=2), quiet=True)


def test_yardsticks_are_measured_on_held_out_rows():
    class Biased(Copies):
        def batch(self, step, size, *, split="train", seed=0):
            common = torch.tensor([0, 0, 0, 1] * (size // 4))
            return Rows((common,), common)

    assert yardsticks(Biased(), 2, rows=4000, batch=400)["unigram"] == pytest.approx(0.5623, abs=1e-3)


def test_bf16_is_taken_where_there_is_any_and_stays_close(monkeypatch):
    from mtlib.training import update

    full = fit(decoder(), Copies(), config(), quiet=True).losses
    losses, streams = {}, {}
    for word in "bf16", "bf16-stream":
        monkeypatch.setattr(update, "has_bf16", lambda device: False)
        assert fit(decoder(), Copies(), config(precision=word), quiet=True).losses == full
        monkeypatch.setattr(update, "has_bf16", lambda device: True)
        model, seen = mt.use_fused(decoder()), []
        hook = model.blocks[1].register_forward_hook(lambda m, a, out, seen=seen: seen.append(out.dtype))
        losses[word], streams[word] = fit(model, Copies(), config(precision=word), quiet=True).losses, seen
        hook.remove()
        assert not any(m._forward_hooks for m in model.modules())
        assert losses[word] != full and losses[word] == pytest.approx(full, abs=0.05)
    assert torch.bfloat16 not in streams["bf16"] and torch.bfloat16 in streams["bf16-stream"]
    assert torch.float32 in streams["bf16-stream"]  # held-out rows are measured in full


INTERRUPTED = """
import os, signal, sys
from tests.training.toys import Copies, config, decoder
from mtlib.training import fit
class Signals(Copies):
    def batch(self, step, size, **which):
        if step == 3 and which["split"] == "train":
            os.kill(os.getpid(), getattr(signal, sys.argv[2]))
        return super().batch(step, size, **which)
record = fit(decoder(), Signals(), config(), out=sys.argv[1])
print(record.stopped, len(record.losses))
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_an_interrupt_keeps_the_step_and_ends_with_a_line(tmp_path, name):
    ran = subprocess.run([sys.executable, "-c", INTERRUPTED, str(tmp_path), name], capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert ran.returncode == 0, ran.stderr
    assert "stopped after 3 of 6 updates" in ran.stdout + ran.stderr and "True 3" in ran.stdout
    model, through = decoder(), decoder()
    resumed = fit(model, Copies(), config(), out=tmp_path, resume=True, quiet=True)
    assert resumed.losses == fit(through, Copies(), config(), quiet=True).losses and same(model, through)
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_the_log_has_a_row_for_every_update_also_after_resuming(tmp_path):
    fit(decoder(), Copies(), config(save_every=2), out=tmp_path, quiet=True)
    whole = [row.split(",")[:2] for row in (tmp_path / "log.csv").read_text().splitlines()]
    newest = sorted((tmp_path / "checkpoints").iterdir())[-1]
    for file in newest.iterdir():
        file.unlink()
    newest.rmdir()
    fit(decoder(), Copies(), config(save_every=2), out=tmp_path, quiet=True, resume=True)
    again = [row.split(",")[:2] for row in (tmp_path / "log.csv").read_text().splitlines()]
    assert whole[0] == ["step", "loss"] and sorted(whole) == sorted(again)
    assert [int(step) for step, loss in again[1:] if loss] == list(range(6))
