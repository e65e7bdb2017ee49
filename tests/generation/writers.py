"""Tiny models of every kind that writes, and one that is a table."""

from dataclasses import replace
from functools import partial

import torch
from torch import nn

import mtlib as mt
from mtlib.generation import Given
from mtlib.recurrent import LSTM, RNN, AttentiveSeq2Seq, RecurrentLM, Seq2Seq

V, MAX_LEN = 11, 16
SOURCES = torch.tensor([[1, 2, 3, 4], [5, 6, 7, 0], [8, 9, 0, 0]])
KEEP = mt.padding_keep(SOURCES, pad=0)


def config(**more) -> mt.ModelConfig:
    return mt.ModelConfig(**{"vocab": V, "max_len": MAX_LEN, "d_model": 16, "n_heads": 4, "n_layers": 2, "d_ff": 24} | more)


def decided(model: nn.Module, seed: int = 11) -> nn.Module:
    """In doubles and with weights so large that its choices are clear and vary with the text."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.dim() > 1:
                p.copy_(torch.randn_like(p))
            else:  # a large bias before the head would say the same token always
                p.copy_(("norm" in name and "weight" in name) + 0.1 * torch.randn_like(p))
    return model.double().eval()


def lm(seed: int = 11, **more) -> mt.DecoderLM:
    return decided(mt.DecoderLM(config(**more)), seed)


# A tied head likes to say again what it has just read, so that all texts come to look alike.
GPT2, ORIGINAL, T5 = (replace(parts, tied=False) for parts in (mt.GPT2, mt.ORIGINAL, mt.T5))
LMS = {
    "gpt2": partial(lm, parts=GPT2),
    "llama": partial(lm, parts=mt.LLAMA, n_kv_heads=2),
    "sinusoidal, post": partial(lm, parts=ORIGINAL),
    "alibi": partial(lm, parts=mt.Parts(position="alibi", tied=False)),
    "lstm": lambda: decided(RecurrentLM(V, 16, 2)),
    "rnn": lambda: decided(RecurrentLM(V, 16, core=RNN)),
}
TRANSLATORS = {
    "encoder-decoder": lambda: decided(mt.EncoderDecoder(config(parts=ORIGINAL))),
    "t5": lambda: decided(mt.EncoderDecoder(config(parts=T5))),
    "seq2seq": lambda: decided(Seq2Seq(V, V, 16, 2, core=LSTM)),
    "attentive": lambda: decided(AttentiveSeq2Seq(V, V, 16)),
}
KINDS = [*LMS, *TRANSLATORS]


def writer(kind: str, rows: slice = slice(0, 3)) -> nn.Module:
    """A writer for as many texts as there are rows."""
    return LMS[kind]() if kind in LMS else Given(TRANSLATORS[kind](), SOURCES[rows], KEEP[rows])


class Chain(nn.Module):
    """A Markov chain: the next token's probabilities hang on the last token alone, by a table (V, V)."""

    def __init__(self, table):
        super().__init__()
        self.table = torch.as_tensor(table, dtype=torch.float64)

    def new_cache(self):
        return Length()

    def forward(self, ids, cache=None):
        if cache is not None:
            cache.length += ids.size(1)
        return self.table[ids].log()


class Ladder(Chain):
    """A chain whose table (N, V, V) is another at each position, so that no two texts weigh the same."""

    def forward(self, ids, cache=None):
        start = len(cache)
        cache.length += ids.size(1)
        return self.table[torch.arange(start, len(cache)), ids].log()


class Length:
    """All a chain need remember."""

    length = 0

    def __len__(self):
        return self.length

    def select(self, rows):
        pass

    def truncate(self, length):
        self.length = min(self.length, length)


def by_hand(model: nn.Module, prompt: list[int], n: int) -> list[int]:
    """Greedy, by a full pass without a cache for each token."""
    text = list(prompt)
    with torch.no_grad():
        for _ in range(n):
            text.append(int(model(torch.tensor([text]))[0, -1].argmax()))
    return text[len(prompt) :]
