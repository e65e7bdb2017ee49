"""Do nouns attend to their modifiers? Every head of two real models against rules that know no grammar.

A head is right where, of all words of a sentence but the first and the one that asks, it gives most to the wanted one.
The best head is chosen on some templates of grammar.py and judged on others. So are its rivals: "the word k places
on", and "the nearest word of that kind, to this side". In SmolLM2 nobody sees what comes later; a wanted word that
stands there is not counted.
"""

from collections.abc import Iterable

import torch
from jaxtyping import Float
from torch import Tensor

from .. import pretrained
from ..interp import attention_weights
from .grammar import CHOOSE, JUDGE, RELATIONS, Pair, Sentence, sentences

SEEDS, OFFSETS = 5, tuple(k for k in range(-7, 8) if k)
Case = tuple[int, Sentence, Pair]


def look(model: pretrained.Pretrained, sentence: Sentence) -> Float[Tensor, "heads T T"]:
    """Every head's weights between words, layer by layer; special tokens and the first word's column get none."""
    ids = model.ids(" ".join(sentence.words))
    extra = ids.size(1) - len(sentence.words)  # [CLS] and [SEP], or nothing
    if extra not in (0, 2):
        raise ValueError(f"{sentence.words} are {ids.size(1)} tokens; each word must be one")
    weights = attention_weights(model.model, ids).flatten(0, 2)  # (L·H, T, T)
    words = weights[:, extra // 2 : extra // 2 + len(sentence.words), extra // 2 : extra // 2 + len(sentence.words)].clone()
    words[..., 0] = 0.0
    words.diagonal(dim1=-2, dim2=-1).zero_()
    return words


def cases(of: Iterable[tuple[int, Sentence]], relation: str, causal: bool) -> list[Case]:
    """All that asks by `relation`, where the wanted word can be seen."""
    return [
        (number, sentence, pair)
        for number, sentence in of
        for pair in sentence.pairs
        if pair.relation == relation and (not causal or max(pair.wanted) < pair.asks)
    ]


def by_offset(case: Case, k: int) -> bool:
    _, _, pair = case
    return pair.asks + k in pair.wanted


def by_kind(case: Case, side: int) -> bool:
    """The nearest word of the wanted kind, to the left (-1) or to the right (+1)."""
    _, sentence, pair = case
    kind, at = sentence.kinds[pair.wanted[0]], pair.asks + side
    while 0 <= at < len(sentence.words):
        if sentence.kinds[at] == kind:
            return at in pair.wanted
        at += side
    return False


def lifts(weights: Tensor, pair: Pair) -> Float[Tensor, "heads"]:
    """The weight on the wanted words, over what other words of the sentence give as far away; NaN where there are none."""
    found = []
    for wanted in pair.wanted:
        k = wanted - pair.asks
        line = weights.diagonal(k, dim1=-2, dim2=-1)  # (heads, pairs of words k apart)
        at = min(pair.asks, wanted)
        others = [i for i in range(line.size(-1)) if i not in (0, at)]  # word 0 is nobody's
        found.append(line[:, at] / line[:, others].mean(dim=-1) if others else torch.full((len(weights),), torch.nan))
    return torch.stack(found).mean(dim=0)


def judged(name: str, seed: int, causal: bool, model: pretrained.Pretrained) -> list[dict[str, object]]:
    """One drawing of words: for each relation the best head and its rivals."""
    drawn = [sentences(templates, 2 * seed + i) for i, templates in enumerate((CHOOSE, JUDGE))]
    weights = {id(s): look(model, s) for part in drawn for _, s in part}
    rows = []
    for relation in RELATIONS:
        choose, judge = (cases(part, relation, causal) for part in drawn)
        if not choose or not judge:  # SmolLM2 never sees an object that is still to come
            continue
        right = [torch.stack([_hit(weights[id(s)], pair) for _, s, pair in part]) for part in (choose, judge)]  # (cases, heads)
        share = [part.float().mean(dim=0) for part in right]
        best = int(share[0].argmax())
        k = max(OFFSETS, key=lambda k: sum(by_offset(case, k) for case in choose))
        side = max((-1, 1), key=lambda side: sum(by_kind(case, side) for case in choose))
        lift = torch.stack([lifts(weights[id(s)], pair) for _, s, pair in judge]).log().nanmean(dim=0).exp()  # a mean of factors
        rows.append(
            {
                "model": name, "relation": relation, "seed": seed, "cases": len(judge),
                "head": list(divmod(best, model.model.config.n_heads)), "chosen on": _r(share[0][best]), "right": _r(share[1][best]),
                "offset": k, "by offset": _r(sum(by_offset(c, k) for c in judge) / len(judge)),
                "side": side, "by kind": _r(sum(by_kind(c, side) for c in judge) / len(judge)),
                "by chance": _r(sum(len(p.wanted) / (len(s.words) - 2) for _, s, p in judge) / len(judge)),
                "median head": _r(share[1].median()), "lifted": _r((lift > 1).float().mean()), "lift": _r(lift.median()),
                "templates": [_of_template(right[1][:, best], judge, n) for n in range(len(JUDGE))],
                "heads": [_r(value) for value in share[1]] if seed == 0 else [],
            }
        )  # fmt: skip
    return rows


def _hit(weights: Tensor, pair: Pair) -> Tensor:
    return torch.isin(weights[:, pair.asks].argmax(dim=-1), torch.tensor(pair.wanted))


def _of_template(right: Tensor, judge: list[Case], number: int) -> float | None:
    of = [hit for hit, case in zip(right.tolist(), judge) if case[0] == number]
    return _r(sum(of) / len(of)) if of else None


def _r(value: float | Tensor) -> float:
    return round(float(value), 3)


def measure() -> list[dict[str, object]]:
    """Five drawings of words in 16 templates, four sentences each, in both models; about a minute."""
    models = {"MiniLM": (False, pretrained.minilm()), "SmolLM2": (True, pretrained.smollm2())}
    return [row for name, (causal, model) in models.items() for seed in range(SEEDS) for row in judged(name, seed, causal, model)]
