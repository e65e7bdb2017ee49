"""Reversal through one state, and with a look back: how long may the source be?

Seq2Seq hands its decoder the encoder's last state and nothing else; AttentiveSeq2Seq lets it ask every state. Each
learns to write 1 to 16 random letters backwards, one length a batch, and is judged length by length.
"""

import torch

from ..data import Batch, Task
from ..data.batch import Split
from ..recurrent import AttentiveSeq2Seq, Seq2Seq
from ..training import TrainConfig, evaluate, fit

LONGEST, SYMBOLS = 16, 8
# What is built, its width, and for how many steps it learns: attention needs fewer.
VARIANTS = {"one state of 32": (Seq2Seq, 32, 800), "one state of 64": (Seq2Seq, 64, 800), "attention": (AttentiveSeq2Seq, 32, 500)}


class Mixed:
    """Reversal as a source of batches, each of another length from 1 to LONGEST; see data.batch.Data."""

    def __init__(self) -> None:
        self.tasks = [Task("reverse", length=n, symbols=SYMBOLS, form="seq2seq") for n in range(1, LONGEST + 1)]
        self.vocab, self.max_len = self.tasks[-1].vocab, self.tasks[-1].max_len

    def batch(self, step: int, size: int, *, split: Split = "train", seed: int = 0) -> Batch:
        tasks = self.tasks[3:] if split == "valid" else self.tasks  # of 1 to 3 letters few questions are held out
        turn = torch.randint(len(tasks), (1,), generator=torch.Generator().manual_seed(1000 * seed + step))
        return tasks[turn].batch(step, size, split=split, seed=seed)


def train(variant: str, seed: int) -> Seq2Seq:
    """By AdamW, 32 rows a step."""
    kind, width, steps = VARIANTS[variant]
    data = Mixed()
    torch.manual_seed(seed)
    model = kind(source_vocab=data.vocab, vocab=data.vocab, d_model=width)
    fit(model, data, TrainConfig(steps=steps, batch=32, lr=1e-2, warmup=50, seed=seed, eval_rows=32), quiet=True)
    return model.eval()


def right_at(model: Seq2Seq, length: int) -> dict[str, object]:
    """Letters right, and rows right from end to end, of 256 rows that training did not see."""
    scores = evaluate(model, Task("reverse", length=length, symbols=SYMBOLS, form="seq2seq"), rows=256)
    return {"length": length, "letters": round(scores.accuracy, 4), "exact": round(scores.exact, 4)}


def measure(seeds: range = range(3)) -> list[dict[str, object]]:
    """Every variant and seed at every even length from 4; about five minutes."""
    rows = []
    for variant, seed in ((v, s) for v in VARIANTS for s in seeds):
        model = train(variant, seed)
        rows += [{"variant": variant, "seed": seed} | right_at(model, n) for n in range(4, LONGEST + 1, 2)]
    return rows
