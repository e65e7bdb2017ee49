"""One task, three shapes, equally many weights: days from English, with one right answer each, and with two.

    encoder-decoder   one layer reads, one writes and looks across     a letter at a time
    decoder           two layers; the source stands before the answer  a letter at a time
    encoder           two layers; a letter for each place of the row   all letters at once

With two answers, Spanish or French by the toss of a coin in training, either counts as right. Gu et al. 2018 call
it multimodality: who says all letters at once cannot agree with himself on one of them.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn

from ..config import ModelConfig, Parts
from ..cores import use_fused
from ..data import BOS, EOS, PAD, Batch
from ..data.batch import IGNORE, Split, padded, question_and_answer, source_and_answer
from ..encoder import Encoder
from ..generation import Given, generate
from ..init import init_weights
from ..training import TrainConfig, fit
from ..transformer import DecoderLM, EncoderDecoder
from .year import Year

D, BATCH, LR = 48, 32, 7e-3
STEPS, LONGER = 300, 900
LANGUAGES = {"one answer": ("es",), "two answers": ("es", "fr")}


class AtOnce(nn.Module):
    """An encoder that names a letter at every place, each for itself.

    >>> config = ModelConfig(vocab=9, max_len=4, d_model=8, n_heads=2, n_layers=1)
    >>> AtOnce(config)(torch.tensor([[3, 1, 4]])).shape
    torch.Size([1, 3, 9])
    """

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.encoder = Encoder(config)
        init_weights(self, n_layers=config.n_layers)

    def forward(self, ids: Int64[Tensor, "B T"]) -> Float[Tensor, "B T V"]:
        return F.linear(self.encoder(ids), self.encoder.tok.weight)


class Days:
    """Days laid out for a shape, with the answers of one language or two; see data.batch.Data."""

    def __init__(self, shape: str, answers: str):
        self.shape, self.year = shape, Year(*LANGUAGES[answers])
        self.tokenizer, self.vocab, self.width = self.year.tokenizer, self.year.vocab, self.year.max_len
        self.max_len = 2 * self.width

    def batch(self, step: int, size: int, *, split: Split = "train", seed: int = 0) -> Batch:
        """One of the answers of each day, by the toss of a coin."""
        pairs = self.year.pairs(step, size, split=split, seed=seed)
        if self.shape == "encoder-decoder":
            return source_and_answer(pairs)
        if self.shape == "decoder":
            return question_and_answer([([*source, BOS], answer) for source, answer in pairs], self.max_len)
        source = padded([source for source, _ in pairs], PAD, self.width)
        return Batch((source,), padded([[*answer, EOS] for _, answer in pairs], IGNORE, self.width))


def build(shape: str, data: Days) -> nn.Module:
    """28·D² weights in the layers of each, but for biases and norms: an FFN of 4·D in two towers, of 5·D in one."""
    sizes = {"vocab": data.vocab, "max_len": data.max_len, "d_model": D, "n_heads": 4, "parts": Parts(position="sinusoidal")}
    if shape == "encoder-decoder":
        return EncoderDecoder(ModelConfig(**sizes, n_layers=1))
    config = ModelConfig(**sizes, n_layers=2, d_ff=5 * D)
    return DecoderLM(config) if shape == "decoder" else AtOnce(config)


SHAPES = ("encoder-decoder", "decoder", "encoder")


def train(shape: str, answers: str, seed: int, *, steps: int = STEPS) -> tuple[nn.Module, Days]:
    """By AdamW, 32 days a step, none of the held-out ones."""
    data = Days(shape, answers)
    torch.manual_seed(seed)
    model = use_fused(build(shape, data))
    fit(model, data, TrainConfig(steps=steps, batch=BATCH, lr=LR, warmup=40, seed=seed, eval_rows=32), quiet=True)
    return model.eval(), data


@torch.no_grad()
def write(model: nn.Module, data: Days, sources: list[str]) -> list[str]:
    """What it answers when it is on its own."""
    ids = [data.tokenizer.encode(source) for source in sources]
    most = {"max_new": data.width, "stop": [EOS]}
    if data.shape == "encoder":
        return [data.tokenizer.decode(row) for row in model(padded(ids, PAD, data.width)).argmax(dim=-1)]
    if data.shape == "decoder":
        return [data.tokenizer.decode(row) for row in generate(model, [[*row, BOS] for row in ids], **most)]
    source = padded(ids, PAD)
    reader = Given(model, source, (source != PAD)[:, None, None, :])
    return [data.tokenizer.decode(row) for row in generate(reader, [[BOS]] * len(ids), **most)]


def one(shape: str, answers: str, seed: int, steps: int) -> dict[str, object]:
    """A row of the result: the share of held-out days whose answer is a right one, and some that are not."""
    model, data = train(shape, answers, seed, steps=steps)
    texts = data.year.days["valid"]
    said = write(model, data, [source for source, _ in texts])
    wrong = [(source, text) for (source, right), text in zip(texts, said) if text not in right]
    size = sum(weight.numel() for weight in model.parameters())
    right = round(1 - len(wrong) / len(texts), 4)
    return {"shape": shape, "answers": answers, "seed": seed, "steps": steps, "weights": size, "right": right, "wrong": wrong[:3]}


def measure(seeds: range = range(3)) -> list[dict[str, object]]:
    """Three seeds of every shape, with one right answer and with two; the encoder three times as long, too."""
    short = [(shape, answers, STEPS) for answers in LANGUAGES for shape in SHAPES]
    long = [("encoder", answers, LONGER) for answers in LANGUAGES]
    return [one(shape, answers, seed, steps) for shape, answers, steps in short + long for seed in seeds]
