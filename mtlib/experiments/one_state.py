"""Dates from English to Spanish through one state: how far does the LSTM without a look back come in as many steps?"""

import torch

from ..data import Dates
from ..recurrent import Seq2Seq
from ..training import TrainConfig, evaluate, fit

STEPS = (350, 700)  # 350 is what alignment.py takes


def measure(seeds: range = range(2), d_model: int = 64) -> list[dict[str, object]]:
    """Each seed and number of steps anew, as in alignment.py but for the model; about two minutes."""
    rows = []
    for seed, steps in ((seed, steps) for seed in seeds for steps in STEPS):
        data = Dates("es")
        torch.manual_seed(seed)
        model = Seq2Seq(source_vocab=data.vocab, vocab=data.vocab, d_model=d_model)
        fit(model, data, TrainConfig(steps=steps, batch=32, lr=1e-2, warmup=50, seed=seed, eval_rows=32), quiet=True)
        scores = evaluate(model, data, rows=256)
        rows.append({"seed": seed, "steps": steps, "letters": round(scores.accuracy, 4), "exact": round(scores.exact, 4)})
    return rows
