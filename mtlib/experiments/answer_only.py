"""To teach a language model to answer: is the loss on the answers alone, or on the questions too?

A small model reads Python's documentation first, then rows of `User: … House: …` (data/requests.py).
It goes on three ways from the same weights with the same batches, and once from nothing:

    answer     only the house's words are asked for
    all        the user's words as well
    nothing    as `answer`, but the model has read no documentation
    before     not trained further

Each is judged on held-out requests, by the share of answers that are right to the last token, and
on held-out documentation, by the bits that a byte of it costs: what was forgotten meanwhile.
"""

import copy
from functools import cache

import torch

from ..config import ModelConfig
from ..cores import use_fused
from ..data import Documentation, Requests
from ..data.batch import EOS
from ..data.requests import asking
from ..generation import generate
from ..training import TrainConfig, evaluate, fit
from ..transformer import DecoderLM

SIZES = {"d_model": 64, "n_heads": 4, "n_layers": 2, "max_len": 128}
FIRST = {"steps": 160, "batch": 12, "lr": 4e-3, "warmup": 20}
THEN = {"steps": 300, "batch": 16, "lr": 3e-3, "warmup": 30}
ROWS = {"requests": 384, "documentation": 64}  # held-out rows that are judged
ASKED = ("turn the kitchen lights off", "what is the weather like", "it is far too bright in here")  # ours
WAYS = ("before", "answer", "all", "nothing")


def fresh(vocab: int, seed: int) -> DecoderLM:
    """The model before it has read anything."""
    torch.manual_seed(seed)
    return use_fused(DecoderLM(ModelConfig(vocab=vocab, **SIZES)))


@cache
def requests(learn: str) -> Requests:
    """The rows, asked for as `learn` says."""
    return Requests(max_len=SIZES["max_len"], learn=learn)


def taught(model: DecoderLM, learn: str, seed: int, *, steps: int = THEN["steps"]) -> DecoderLM:
    """The model itself, after as many batches of requests."""
    train = TrainConfig(**(THEN | {"steps": steps}), seed=seed, eval_rows=16)
    fit(model, requests(learn), train, quiet=True)
    return model


def row(model: DecoderLM, way: str, seed: int, documentation: Documentation) -> dict[str, object]:
    """What a model is worth on both kinds of text, and what it says to three sentences of ours."""
    model.eval()
    answers = evaluate(model, requests("answer"), rows=ROWS["requests"])
    text = evaluate(model, documentation, rows=ROWS["documentation"])
    tokenizer = documentation.tokenizer
    prompts = [tokenizer.encode(asking(sentence)) for sentence in ASKED]
    said = [tokenizer.decode([i for i in ids if i != EOS]) for ids in generate(model, prompts, max_new=12, stop=[EOS])]
    return {
        "way": way, "seed": seed, "exact": round(answers.exact, 4), "answer_loss": round(answers.loss, 4),
        "bits": round(documentation.bits_per_byte(text.loss), 4), "said": said,
    }  # fmt: skip


def measure(seeds: range = range(3)) -> list[dict[str, object]]:
    """Every way with every seed; about two minutes."""
    documentation, found = Documentation(vocab=1024, max_len=SIZES["max_len"]), []
    for seed in seeds:
        reader = fresh(documentation.vocab, seed)
        fit(reader, documentation, TrainConfig(**FIRST, seed=seed, eval_rows=32), quiet=True)
        models = {"before": reader, "nothing": taught(fresh(documentation.vocab, seed), "answer", seed)}
        models |= {learn: taught(copy.deepcopy(reader), learn, seed) for learn in ("answer", "all")}
        found += [row(models[way], way, seed, documentation) for way in WAYS]
    return found
