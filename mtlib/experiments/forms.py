"""When do the two heads of induction appear? The model of induction.py, watched while it learns to repeat.

Six seeds. Every twenty steps, on rows that training does not draw: the loss where the next token can be known, and how
much each head of layer 1 looks where induction would, each head of layer 0 at the token before. At the end each head
is silenced. A model of one layer, otherwise the same, stands beside them: nothing below it, nothing to be told.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from .. import interp
from ..config import ModelConfig, Parts
from ..cores import use_explicit, use_fused
from ..transformer import DecoderLM
from . import induction

SEEDS, EVERY, STEPS = 6, 20, 600


def watched(seed: int, steps: int = STEPS) -> dict[str, object]:
    """One training: loss and scores every EVERY steps, and each head's ablation at the end."""
    rows, seen = induction.rows_to_judge(), {"step": [], "loss": [], "induction": [], "before": []}

    def look(step: int, model: DecoderLM) -> None:
        if step % EVERY:
            return
        use_explicit(model)
        scores = interp.head_scores(model, rows)
        with torch.no_grad():
            loss = interp.copying_loss(model(rows), rows, induction.PERIOD).item()
        use_fused(model)
        values = step, round(loss, 3), rounded(scores["induction"][1]), rounded(scores["previous_token"][0])
        for name, value in zip(seen, values):
            seen[name].append(value)

    model = induction.train(seed, steps=steps, watch=look)
    cost = interp.ablation_sweep(model, rows, lambda logits: interp.copying_loss(logits, rows, induction.PERIOD))
    return {"layers": 2, "seed": seed, **seen, "cost": [rounded(layer) for layer in cost]}


def one_layer(seed: int, steps: int = STEPS) -> dict[str, object]:
    """The same training of a model with a single layer; only where it ends."""
    torch.manual_seed(seed)
    sizes = {"vocab": induction.V, "max_len": induction.T, "d_model": 32, "n_heads": 4, "n_layers": 1, "d_ff": 8}
    model = use_fused(DecoderLM(ModelConfig(**sizes, parts=Parts(position="alibi"))))
    generator, lr = torch.Generator().manual_seed(seed), 1e-2
    optimiser = torch.optim.AdamW(model.parameters(), lr=lr, betas=(0.9, 0.99), weight_decay=0.0)
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = lr * min(1.0, (step + 1) / 50, 2 * (1 - step / steps))
        ids, known = induction.batch(32, generator)
        loss = F.cross_entropy(model(ids)[:, :-1][known], ids[:, 1:][known])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    rows = induction.rows_to_judge()
    with torch.no_grad():
        return {"layers": 1, "seed": seed, "loss": round(interp.copying_loss(model(rows), rows, induction.PERIOD).item(), 3)}


def rounded(values: Tensor) -> list[float]:
    return [round(value, 3) for value in values.tolist()]


def measure() -> list[dict[str, object]]:
    """Six models of two layers, six of one; about a minute."""
    return [watched(seed) for seed in range(SEEDS)] + [one_layer(seed) for seed in range(SEEDS)]
