"""Beam search by its steps, and the searches that people write in its place."""

from collections.abc import Iterator

import torch
from torch import Tensor

Text = tuple[list[int], float]  # tokens, and the sum of their log-probabilities


def reference(table: Tensor, bos: int, eos: int, width: int, max_len: int) -> Text:
    return variant()(table, bos, eos, width, max_len)


def total(text: Text) -> float:
    return text[1]


def extensions(text: Text, table: Tensor, bos: int) -> list[Text]:
    tokens, so_far = text
    steps = table[tokens[-1] if tokens else bos].tolist()
    return [([*tokens, token], so_far + step) for token, step in enumerate(steps)]


def ended(text: Text, eos: int) -> bool:
    return text[0][-1:] == [eos]


def rounds(table: Tensor, bos: int, eos: int, width: int, max_len: int, rank=total, extend=extensions) -> Iterator[list[Text]]:
    """All that competes at each step, the best first."""
    beams: list[Text] = [([], 0.0)]
    for _ in range(max_len):
        done = [text for text in beams if ended(text, eos)]
        grown = [longer for text in beams if not ended(text, eos) for longer in extend(text, table, bos)]
        rivals = sorted(done + grown, key=rank, reverse=True)
        yield rivals
        beams = rivals[:width]


def variant(rank=total, extend=extensions, told=lambda text: text, choose=lambda rivals, eos: rivals[0]):
    """Beam search with a step changed: by what texts compete, how they grow, which is taken, what is told of it."""

    def beam_search(table: Tensor, bos: int, eos: int, width: int, max_len: int) -> Text:
        *_, rivals = rounds(table, bos, eos, width, max_len, rank, extend)
        return told(choose(rivals[:width], eos))

    return beam_search


def per_token(text: Text) -> float:
    return text[1] / max(len(text[0]), 1)


def probabilities_added(text: Text, table: Tensor, bos: int) -> list[Text]:
    return extensions(text, table.exp(), bos)


def one_beam(table: Tensor, bos: int, eos: int, width: int, max_len: int) -> Text:
    return reference(table, bos, eos, 1, max_len)


def past_the_end(table: Tensor, bos: int, eos: int, width: int, max_len: int) -> Text:
    return reference(table, bos, -1, width, max_len)


def set_aside(table: Tensor, bos: int, eos: int, width: int, max_len: int, last: bool = False) -> Text:
    """Finished texts leave the race and are compared at its end; with `last` they are forgotten."""
    beams: list[Text] = [([], 0.0)]
    done: list[Text] = []
    for _ in range(max_len):
        grown = sorted([longer for text in beams for longer in extensions(text, table, bos)], key=total, reverse=True)
        done += [text for text in grown[:width] if ended(text, eos)]
        beams = [text for text in grown[:width] if not ended(text, eos)]
        if not beams:
            break
    return max(beams or done if last else done + beams, key=total)


def first_end(table: Tensor, bos: int, eos: int, width: int, max_len: int) -> Text:
    for rivals in rounds(table, bos, eos, width, max_len):
        finished = [text for text in rivals[:width] if ended(text, eos)]
        if finished:
            return finished[0]
    return rivals[0]


def places_for_live(table: Tensor, bos: int, eos: int, width: int, max_len: int) -> Text:
    """Finished texts take no place: `width` live ones go on beside them."""
    beams: list[Text] = [([], 0.0)]
    done: list[Text] = []
    for _ in range(max_len):
        grown = sorted([longer for text in beams for longer in extensions(text, table, bos)], key=total, reverse=True)
        done += [text for text in grown if ended(text, eos)]
        beams = [text for text in grown if not ended(text, eos)][:width]
    return max(done + beams, key=total)


def finished_only(rivals: list[Text], eos: int) -> Text:
    return next((text for text in rivals if ended(text, eos)), rivals[0])


def without_eos(table: Tensor, bos: int, eos: int, *rest: int) -> Text:
    tokens, so_far = reference(table, bos, eos, *rest)
    return (tokens[:-1] if tokens[-1] == eos else tokens), so_far


def with_bos(table: Tensor, bos: int, *rest: int) -> Text:
    tokens, so_far = reference(table, bos, *rest)
    return [bos, *tokens], so_far


def as_a_tensor(text: Text) -> tuple[list[int], Tensor]:
    return text[0], torch.tensor(text[1], dtype=torch.float64)


def bos_counts(table: Tensor, bos: int, eos: int, width: int, max_len: int) -> Text:
    return reference(table, bos, eos, width, max_len - 1) if max_len > 1 else ([], 0.0)
