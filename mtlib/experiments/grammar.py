"""Sentences whose grammar is known, because it was there before the words.

    the A0 N0 near the N2 V the A1 N1      ->      the new farmer near the bridge painted the small table

An A describes the N of its number; the subject of V is N0, its object N1; every other N is in the way. Words are
drawn, and fit one another only in grammar: what a head finds here it did not find by knowing what farmers paint.
Each word is one token in MiniLM and in SmolLM2, so a word's place is a token's.
"""

from random import Random
from typing import NamedTuple

NOUNS = (
    "farmer", "doctor", "teacher", "soldier", "sister", "king", "table", "bridge", "car", "house", "window", "boat",
    "horse", "dog", "engine", "box", "tree", "stone", "picture", "garden", "ship", "bird", "chair", "tower",
)  # fmt: skip
ADJECTIVES = ("new", "small", "strange", "famous", "quiet", "heavy", "tall", "poor", "black", "white", "young", "cold")
VERBS = ("painted", "found", "moved", "carried", "sold", "watched", "cleaned", "dropped", "saved", "followed", "bought", "broke")
KINDS = {"A": ADJECTIVES, "N": NOUNS, "V": VERBS}

# To choose a head by, and to judge it by.
CHOOSE = (
    "the A0 N0 V the A1 N1",
    "the N0 V a A1 N1 near the N2",
    "the A0 A3 N0 V the N1",
    "the A0 N0 near the N2 V the A1 N1",
    "then the A0 N0 quickly V the N1",
    "the N0 with the A2 N2 V the N1 again",
    "in the N2 the N0 V a very A1 N1",
    "the N0 was A0 and V the N1",
)
JUDGE = (
    "the A0 N0 of the N2 often V a A1 N1",
    "the N0 that the N2 liked V the A1 N1",
    "last week a A0 N0 V the N1 in the A2 N2",
    "the very A0 N0 V a rather A1 N1",
    "the A0 and A3 N0 never V the N1",
    "the N0 beside the N2 was A0 and V the N1",
    "after that the N0 from the A2 N2 suddenly V the A1 N1",
    "the N1 that the A0 N0 V was A1",
)
RELATIONS = ("noun → its adjective", "adjective → its noun", "verb → its subject", "verb → its object")


class Pair(NamedTuple):
    """Who asks, and where the answers stand: places in the sentence, from 0."""

    relation: str
    asks: int
    wanted: tuple[int, ...]


class Sentence(NamedTuple):
    """Words, the kind of each (A, N, V, or nothing), and what depends on what."""

    words: list[str]
    kinds: list[str]
    pairs: list[Pair]


def draw(template: str, dice: Random) -> Sentence:
    """Words for a template's letters, none twice.

    >>> sentence = draw("the A0 N0 V the N1", Random(0))
    >>> [(pair.relation, pair.asks, pair.wanted) for pair in sentence.pairs][:2]
    [('noun → its adjective', 2, (1,)), ('adjective → its noun', 1, (2,))]
    """
    slots = template.split()
    marked = [slot if slot[0] in KINDS and slot[1:].isdigit() or slot == "V" else "" for slot in slots]
    drawn = {kind: iter(dice.sample(words, len(words))) for kind, words in KINDS.items()}
    words = [next(drawn[mark[0]]) if mark else slot for slot, mark in zip(slots, marked)]
    # A3 is a second adjective of noun 0.
    owner = ["" if not mark else "N0" if mark == "A3" else "N" + mark[1:] if mark[0] == "A" else mark for mark in marked]
    pairs = []
    for at, mark in enumerate(marked):
        if mark.startswith("N"):
            its = tuple(i for i, other in enumerate(marked) if other.startswith("A") and owner[i] == mark)
            if its:
                pairs.append(Pair(RELATIONS[0], at, its))
        elif mark.startswith("A"):
            pairs.append(Pair(RELATIONS[1], at, (marked.index(owner[at]),)))
        elif mark == "V":
            pairs += [Pair(RELATIONS[2], at, (marked.index("N0"),)), Pair(RELATIONS[3], at, (marked.index("N1"),))]
    return Sentence(words, [mark[:1] for mark in marked], sorted(pairs, key=lambda pair: RELATIONS.index(pair.relation)))


def sentences(templates: tuple[str, ...], seed: int, each: int = 4) -> list[tuple[int, Sentence]]:
    """`each` sentences of every template, with its number."""
    dice = Random(seed)
    return [(number, draw(template, dice)) for number, template in enumerate(templates) for _ in range(each)]
