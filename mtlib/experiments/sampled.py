"""SmolLM2 goes on with six openings of ours, by every rule: how often it repeats itself, how surprised it is by what it wrote.

    repeated    the share of the new runs of four tokens that stood in the text before
    distinct    different tokens among the new ones, of NEW
    surprise    the mean of -log p at the new tokens, by the model as it is, whatever rule drew them

Each opening is cut to OPENING tokens; how we went on ourselves is measured in the same way. Holtzman et al. 2020 asked
this of a larger model and of longer texts.
"""

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from tokenizers import Tokenizer
from torch import Tensor, nn

from ..cores import use_fused
from ..generation import GREEDY, Rules, beam_search
from ..generation.swift import swift
from ..pretrained import smollm2

TEXTS = (
    "The last ferry had already left when we reached the harbour, so we sat down on our bags and counted what money we had "
    "between us. It came to eleven coins and a button. The woman who sold fish lent us a lamp and told us that her brother "
    "sometimes crossed at night, if the moon was up and he had quarrelled with his wife. Towards midnight we heard an engine "
    "cough behind the wall, and then another.",
    "To keep a sourdough alive you need only flour, water and a little patience. Feed it once a day while it stands in a warm "
    "kitchen, or once a week in the fridge. Throw away half before each meal, or you will soon own more of it than your "
    "neighbours can bear. When it smells of apples it is happy; when it smells of paint it is hungry, and a spoon of rye will "
    "mend that by tomorrow.",
    "Most people think of the desert as an empty place, but anyone who has slept there knows how busy it is after dark. "
    "Beetles drink the fog from their own backs. Foxes with ears like radar dishes listen for grubs under the sand. Even the "
    "stones are at work, cracking in the cold with a sound like a distant rifle. By sunrise all of it has gone below, and "
    "only the tracks tell who was out.",
    "When the committee met on Tuesday to discuss the new bridge, nobody expected it to take more than an hour. The plans had "
    "been drawn, the money found, the river measured twice. Then an old engineer in the back row asked which way the wind blew "
    "in March, and the room went quiet. It turned out that no one had written it down, and the vote was put off until somebody "
    "had climbed the tower and looked.",
    "The first computer in our street stood under the stairs of a bakery and hummed all night. It could draw circles, add up "
    "the flour and play one game, in which a square ate smaller squares until it died. The baker's daughter learned to make it "
    "print her name a thousand times. What she wanted to know was why it stopped at a thousand, and nobody in the shop could "
    "tell her that.",
    "A good map leaves out nearly everything. It does not show the dog that barks at the third gate, or the smell of the "
    "tannery when the wind turns. What it keeps, it bends: rivers grow wide enough to see, and small streets vanish so that "
    "large ones may have names. Whoever draws it must decide what a stranger will need, which means guessing where the "
    "stranger wants to go, and why on foot.",
)  # fmt: skip
OPENING, NEW, DRAWS = 16, 64, 5
DRAWN = {
    "temperature 0.5": Rules(temperature=0.5),
    "temperature 1": Rules(),
    "temperature 1.5": Rules(temperature=1.5),
    "top-k 40": Rules(top_k=40),
    "top-p 0.9": Rules(top_p=0.9),
    "min-p 0.1": Rules(min_p=0.1),
    "temperature 1.5, top-p 0.9": Rules(temperature=1.5, top_p=0.9),
    "temperature 1.5, min-p 0.1": Rules(temperature=1.5, min_p=0.1),
}
LIKELIEST = {
    "greedy": GREEDY,
    "greedy, penalty 1.1": Rules(temperature=0.0, repetition=1.1),
    "greedy, penalty 1.3": Rules(temperature=0.0, repetition=1.3),
    "greedy, penalty 2": Rules(temperature=0.0, repetition=2.0),
}
WIDTHS = (2, 4)


def openings(tokenizer: Tokenizer) -> tuple[Int64[Tensor, "N T"], Int64[Tensor, "N T_new"]]:
    """The first OPENING tokens of every text, and the NEW after them, as we wrote them."""
    ids = torch.tensor([tokenizer.encode(text).ids[: OPENING + NEW] for text in TEXTS])
    return ids[:, :OPENING], ids[:, OPENING:]


@torch.inference_mode()
def write(
    model: nn.Module, ids: Int64[Tensor, "B T"], rules: Rules, new: int, generator: torch.Generator | None
) -> tuple[Int64[Tensor, "B T_new"], Float[Tensor, "B"]]:
    """What generate writes, and the model's mean surprise at it, in nats a token."""
    writer = swift(model)
    cache, text, unread, surprise = writer.new_cache(), ids, ids, torch.zeros(len(ids))
    for _ in range(new):
        logits = writer(unread, cache=cache)[:, -1]
        token = rules.pick(logits, text, generator)
        surprise += F.cross_entropy(logits, token, reduction="none")
        unread = token[:, None]
        text = torch.cat([text, unread], dim=1)
    return text[:, ids.size(1) :], surprise / new


@torch.inference_mode()
def surprise_at(model: nn.Module, before: Int64[Tensor, "B T"], after: Int64[Tensor, "B T_new"]) -> Float[Tensor, "B"]:
    """The model's mean surprise at a text that it did not write."""
    logits = model(torch.cat([before, after[:, :-1]], dim=1))[:, before.size(1) - 1 :]
    return F.cross_entropy(logits.transpose(1, 2), after, reduction="none").mean(dim=1)


def repeated(before: list[int], after: list[int], n: int = 4) -> float:
    """The share of the runs of n tokens ending in `after` that stood in the text before.

    >>> repeated([1, 2, 3, 4], [1, 2, 3, 4]), repeated([0, 0], [1, 2, 3, 4])
    (0.25, 0.0)
    """
    text = [*before, *after]
    runs = [tuple(text[i : i + n]) for i in range(len(text) - n + 1)]
    new = range(len(runs) - len(after), len(runs)) if len(before) >= n - 1 else range(len(runs))
    return sum(runs[i] in runs[:i] for i in new) / len(new)


def measure() -> list[dict[str, Any]]:
    """A row a text: every rule, ours first; about five minutes."""
    model, tokenizer = smollm2()
    model = use_fused(model)
    before, ours = openings(tokenizer)

    def row(rule: str, i: int, tokens: list[int], surprise: float) -> dict[str, Any]:
        about = {"rule": rule, "opening": i, "surprise": round(surprise, 4), "repeated": round(repeated(before[i].tolist(), tokens), 4)}
        return about | {"distinct": round(len(set(tokens)) / len(tokens), 4)}

    rows = [row("ours", i, t, s) for i, (t, s) in enumerate(zip(ours.tolist(), surprise_at(model, before, ours).tolist()))]
    for rule, rules in LIKELIEST.items():
        tokens, surprise = write(model, before, rules, NEW, None)
        for i, (t, s) in enumerate(zip(tokens.tolist(), surprise.tolist())):
            rows.append(row(rule, i, t, s) | {"text": tokenizer.decode(t)})
    for width in WIDTHS:
        for i, prompt in enumerate(before.tolist()):
            best = beam_search(model, prompt, width=width, max_new=NEW)[0]
            rows.append(row(f"{width} beams", i, best.tokens, -best.log_probability / NEW) | {"text": tokenizer.decode(best.tokens)})
    for seed, (rule, rules) in enumerate(DRAWN.items()):
        generator = torch.Generator().manual_seed(seed)
        tokens, surprise = write(model, before.repeat(DRAWS, 1), rules, NEW, generator)
        for at, (t, s) in enumerate(zip(tokens.tolist(), surprise.tolist())):
            rows.append(row(rule, at % len(TEXTS), t, s) | {"draw": at // len(TEXTS)})
    return rows
