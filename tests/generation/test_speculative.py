"""Guessing ahead changes how often the large model runs, and nothing else: held exactly, not by drawing."""

import sys
from itertools import product
from math import prod

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from mtlib.generation import Rules, accept, generate, speculative
from mtlib.generation.rules import GREEDY

from .writers import LMS, Chain, V, lm


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 999), G=st.integers(1, 3), size=st.integers(2, 3), sparse=st.booleans())
def test_the_law_of_what_accept_lets_out_is_the_targets(seed, G, size, sparse):
    """By exact enumeration: over all guesses, and over acceptance or not at each of them."""
    generator = torch.Generator().manual_seed(seed)
    q, p = (torch.rand(n, size, generator=generator, dtype=torch.float64) + 0.05 for n in (G, G + 1))
    if sparse:
        p[torch.arange(G + 1), torch.randint(size, (G + 1,), generator=generator)] = 0.0
    q, p = q / q.sum(-1, keepdim=True), p / p.sum(-1, keepdim=True)
    law = torch.zeros([size] * (G + 1), dtype=torch.float64)
    for guesses in product(range(size), repeat=G):
        ratios = [min(1.0, float(p[i, x] / q[i, x])) for i, x in enumerate(guesses)]
        drawn = prod(float(q[i, x]) for i, x in enumerate(guesses))
        for n in range(G + 1):  # the first n stand, the next one does not
            weight = drawn * prod(ratios[:n]) * (1 - ratios[n] if n < G else 1)
            if weight == 0:
                continue
            uniforms = torch.tensor([r * (1 - 1e-9) for r in ratios[:n]] + [1 - 1e-12] * (G - n), dtype=torch.float64)
            got, rest = accept(q, p, torch.tensor(guesses), uniforms)
            assert got == n
            for tail in product(range(size), repeat=G + 1 - n):  # the rest, and then the target's own
                chance = weight * float(rest[tail[0]])
                for i, x in enumerate(tail[1:], start=n + 1):
                    chance *= float(p[i, x])
                law[(*guesses[:n], *tail)] += chance
    wanted = p[0]
    for i in range(1, G + 1):
        wanted = wanted[..., None] * p[i]
    assert_close(law, wanted, atol=1e-8, rtol=0)


class Dice:
    """In place of a generator: takes every way through the program in turn, and knows its weight."""

    def __init__(self):
        self.path, self.at, self.weight = [], 0, 1.0

    def throw(self, weights: list[float]) -> int:
        """A face of weight above 0; on the first visit the first of them."""
        faces = [i for i, w in enumerate(weights) if w > 0]
        if self.at == len(self.path):
            self.path.append([0, len(faces)])
        face = faces[self.path[self.at][0]]
        self.at += 1
        self.weight *= weights[face]
        return face

    def next_way(self) -> bool:
        while self.path and self.path[-1][0] + 1 == self.path[-1][1]:
            self.path.pop()
        if self.path:
            self.path[-1][0] += 1
        self.at, self.weight = 0, 1.0
        return bool(self.path)


@pytest.mark.parametrize("ahead, max_new, target, guess", [
    (1, 2, [[0.125, 0.625, 0.25], [0.5, 0.0, 0.5], [0.25, 0.25, 0.5]], [[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.5, 0.5, 0.0]]),
    (2, 3, [[0.125, 0.875], [0.75, 0.25]], [[0.5, 0.5], [0.5, 0.5]]),
])  # fmt: skip
def test_the_law_of_whole_texts_is_the_targets_in_every_way_through_the_program(monkeypatch, ahead, max_new, target, guess):
    """Ratios p/q are whole quarters (or above 1), so four uniforms in their middles stand for all."""
    module = sys.modules["mtlib.generation.speculative"]
    dice, law = Dice(), {}
    monkeypatch.setattr(module, "draw", lambda p, _: torch.tensor([dice.throw(p[0].tolist())]))
    middles = [0.125, 0.375, 0.625, 0.875]
    monkeypatch.setattr(
        module, "_uniforms",
        lambda n, like, _: torch.tensor([middles[dice.throw([0.25] * 4)] for _ in range(n)], dtype=like.dtype),
    )  # fmt: skip
    while True:
        text = speculative(
            Chain(target), Chain(guess), [0], ahead=ahead, max_new=max_new, rules=Rules(), generator=torch.Generator()
        )
        law[tuple(text.tokens)] = law.get(tuple(text.tokens), 0.0) + dice.weight
        if not dice.next_way():
            break
    for tokens in product(range(len(target)), repeat=max_new):
        wanted = 1.0
        for before, token in zip((0, *tokens), tokens):
            wanted *= target[before][token]
        assert law.get(tokens, 0.0) == pytest.approx(wanted, abs=1e-12)


@settings(max_examples=12, deadline=None)
@given(ahead=st.integers(1, 6), max_new=st.integers(1, 10), seed=st.integers(0, 5), stop=st.sets(st.integers(0, V - 1), max_size=2))
def test_greedy_guessing_writes_what_greedy_writes(ahead, max_new, seed, stop):
    model, draft = lm(), lm(seed=seed, n_layers=1)
    wrote = speculative(model, draft, [3, 1], ahead=ahead, max_new=max_new, stop=stop)
    assert wrote.tokens == generate(model, [[3, 1]], max_new=max_new, stop=stop)[0]
    assert wrote.passes <= max_new and wrote.accepted <= wrote.guessed <= ahead * wrote.passes


@pytest.mark.parametrize("kind", ["llama", "alibi", "sinusoidal, post"])
def test_a_cache_that_was_cut_goes_on_as_if_nothing_had_been_guessed(kind):
    model = LMS[kind]()
    for rules in GREEDY, Rules(temperature=0.0, repetition=1.7):
        wrote = speculative(model, lm(seed=3), [3, 1, 4], ahead=3, max_new=9, rules=rules)
        assert wrote.tokens == generate(model, [[3, 1, 4]], max_new=9, rules=rules)[0]


def test_a_draft_that_is_the_model_is_never_refused():
    model = lm()
    wrote = speculative(
        model, model, [3, 1], ahead=4, max_new=10, rules=Rules(), generator=torch.Generator().manual_seed(0)
    )
    assert wrote.accepted == wrote.guessed == 8 and wrote.passes == 2


def test_the_cut_cache_has_forgotten_and_the_memory_is_whole():
    model = lm()
    cache = model.new_cache()
    with torch.no_grad():
        model(torch.tensor([[3, 1, 4, 1, 5]]), cache=cache)
        cache.truncate(2)
        assert len(cache) == 2
        again = model(torch.tensor([[9, 2]]), cache=cache)
        assert_close(again, model(torch.tensor([[3, 1, 9, 2]]))[:, 2:], atol=1e-10, rtol=0)
