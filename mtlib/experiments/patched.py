"""Where does the answer stand, and when? SmolLM2 reads two beginnings that differ in a word; one vector of the first is put into the second.

The stream's vector at one place and depth is replaced by the clean run's, and the answer read again: by how much of the
way does it turn from the corrupt run's answer to the clean one's?
"""

import torch
from torch import Tensor

from .. import interp, pretrained
from ..transformer import DecoderLM

PAIRS = (  # clean, corrupt, what each should be followed by
    ("The capital of France is", "The capital of Italy is", "Paris", "Rome"),
    ("The opposite of hot is", "The opposite of tall is", "cold", "short"),
    ("Anna and Tom met, and Tom thanked", "Anna and Tom met, and Anna thanked", "Anna", "Tom"),
)


@torch.no_grad()
def one(loaded: pretrained.Pretrained, clean: str, corrupt: str, right: str, wrong: str) -> dict[str, object]:
    """Effects of every depth and place, (L+1, T): 0 nothing, 1 the clean answer."""
    model, ids, other = loaded.model, loaded.ids(clean), loaded.ids(corrupt)
    answers = [loaded.ids(f" {word}").squeeze().tolist() for word in (right, wrong)]
    if not all(isinstance(answer, int) for answer in answers):
        raise ValueError(f"{right!r} and {wrong!r} must be one token each")
    source, goes_on = interp.residual_stream(model, ids), interp.residual_stream(model, other)  # (L+1, 1, T, D)
    places, effects = torch.arange(ids.size(1)), []
    start, end = (_prefers(model, stream[-1], answers).item() for stream in (goes_on, source))
    for depth in range(len(source)):
        x = goes_on[depth].repeat(len(places), 1, 1)  # a row for each place to patch
        x[places, places] = source[depth, 0]
        for block in model.blocks[depth:]:
            x = block(x, position=model.pos)
        effects.append((_prefers(model, x, answers) - start) / (end - start))
    return {
        "clean": clean, "corrupt": corrupt, "right": right, "wrong": wrong, "prefers": [round(start, 3), round(end, 3)],
        "positions": [[round(effect, 3) for effect in row.tolist()] for row in effects],
    }  # fmt: skip


def _prefers(model: DecoderLM, x: Tensor, answers: list[int]) -> Tensor:
    """By how much the last place prefers the first answer to the second, (B,)."""
    logits = model.unembed(model.norm(x[:, -1]))
    return logits[:, answers[0]] - logits[:, answers[1]]


def measure() -> list[dict[str, object]]:
    """Three pairs; seconds."""
    loaded = pretrained.smollm2()
    return [one(loaded, *pair) for pair in PAIRS]
