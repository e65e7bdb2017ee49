"""A translator of dates small enough to be kept: English in, Spanish out, letter by letter, two layers a side.

Its weights are kept as they came out, in half precision, so that a chapter can look into a trained model without
training one: 61,000 numbers as text.
"""

import base64

import numpy as np
import torch

from ..config import ModelConfig, Parts
from ..cores import use_explicit, use_fused
from ..data import Dates
from ..training import TrainConfig, evaluate, fit
from ..transformer import EncoderDecoder

STEPS, BATCH, LR = 900, 32, 6e-3


def build(data: Dates) -> EncoderDecoder:
    """Two layers a side, 32 numbers a letter, 4 heads."""
    sizes = {"vocab": data.vocab, "max_len": data.max_len, "d_model": 32, "n_heads": 4, "n_layers": 2}
    return EncoderDecoder(ModelConfig(**sizes, parts=Parts(position="sinusoidal")))


def train(steps: int = STEPS, seed: int = 0) -> tuple[EncoderDecoder, Dates]:
    """By AdamW, 32 days a step, none of the held-out ones."""
    data = Dates("es")
    torch.manual_seed(seed)
    model = use_fused(build(data))
    fit(model, data, TrainConfig(steps=steps, batch=BATCH, lr=LR, warmup=min(50, steps // 2), seed=seed, eval_rows=32), quiet=True)
    return use_explicit(model.eval()), data


def to_text(model: EncoderDecoder) -> str:
    """All weights in their order, half precision, as base64."""
    flat = torch.cat([weight.detach().flatten() for weight in model.parameters()])
    return base64.b64encode(flat.numpy().astype("<f2").tobytes()).decode()


def from_text(text: str, data: Dates) -> EncoderDecoder:
    """The model of `to_text`."""
    model = build(data)
    flat = torch.from_numpy(np.frombuffer(base64.b64decode(text), "<f2").astype("float32"))
    torch.nn.utils.vector_to_parameters(flat, model.parameters())
    return model.eval()


def measure() -> list[dict[str, object]]:
    """One model, and its scores on held-out days after rounding; about a minute and a half of a core."""
    model, data = train()
    text = to_text(model)
    scores = evaluate(from_text(text, data), data, rows=512)
    return [{"loss": round(scores.loss, 4), "letters": round(scores.accuracy, 4), "exact": round(scores.exact, 4), "weights": text}]
