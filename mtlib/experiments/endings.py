"""Idioms, plain endings and analogies in SmolLM2: which parts bring the last word, and are they the same parts?

At the last place of each beginning ("it was raining cats and") one sublayer's output is held at the mean it has over all
beginnings, and the log-probability of the ending (" dogs") is read again. Then single units of the FFNs: the twenty
that say most for the ending directly are silenced there, against twenty others of the same layers, against the twenty
of another ending of its kind.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from .. import pretrained
from ..data.batch import padded
from ..interp import direct_effect
from ..interp.ablate import Change
from ..interp.attribution import head_rows, norm_scale
from ..trace import Trace, trace
from ..transformer import DecoderLM
from .heads_out import rest
from .plain_sentences import SENTENCES

KINDS = {
    "idiom": (
        ("It was raining cats and", "dogs"), ("The exam was a piece of", "cake"), ("Out of sight, out of", "mind"),
        ("It only happens once in a blue", "moon"), ("Actions speak louder than", "words"), ("The early bird catches the", "worm"),
        ("All that glitters is not", "gold"), ("A picture is worth a thousand", "words"), ("Practice makes", "perfect"),
        ("Every cloud has a silver", "lining"), ("You cannot teach an old dog new", "tricks"), ("Honesty is the best", "policy"),
        ("The grass is always greener on the other", "side"), ("You have hit the nail on the", "head"), ("Take it with a grain of", "salt"),
        ("Rome was not built in a", "day"), ("The pen is mightier than the", "sword"), ("Do not judge a book by its", "cover"),
        ("Curiosity killed the", "cat"), ("An apple a day keeps the doctor", "away"),
    ),
    "plain": (
        ("The baby drank a bottle of", "milk"), ("She washed her hands with soap and", "water"), ("They sat down at the", "table"),
        ("The sun rises in the", "east"), ("He was born in the month of", "May"), ("The baby began to", "cry"),
        ("She drank a cup of", "tea"), ("He paid with a credit", "card"), ("The train left the", "station"),
        ("We slept in a small", "room"), ("He wore a black suit and a white", "shirt"), ("The cat climbed up the", "tree"),
        ("She put the letter in the", "mail"), ("The dog wagged its", "tail"), ("He cut the bread with a", "knife"),
        ("The ship crossed the Atlantic", "Ocean"), ("She turned off the", "light"), ("He brushed his", "teeth"),
        ("The farmer milked the", "cow"), ("They lived in a big", "house"),
    ),
    "analogy": (
        ("France is to Paris as Italy is to", "Rome"), ("Hot is to cold as up is to", "down"), ("Man is to woman as king is to", "queen"),
        ("Dog is to puppy as cat is to", "kitten"), ("Day is to night as black is to", "white"), ("Bird is to fly as fish is to", "swim"),
        ("Big is to small as tall is to", "short"), ("Hand is to finger as foot is to", "toe"), ("Boy is to girl as brother is to", "sister"),
        ("England is to London as Germany is to", "Berlin"), ("Ear is to hear as eye is to", "see"), ("Good is to bad as rich is to", "poor"),
    ),
}  # fmt: skip
TOP, SHOWN, EVERY = 20, 5, 3  # units silenced, units named, layers between those held


class Ending(NamedTuple):
    """A beginning and what should follow it."""

    kind: str
    start: str
    end: str


class Read(NamedTuple):
    """One run over a beginning: the ending's log-probability, how many tokens stand before it, and what the parts get and put out."""

    log_p: float
    rank: int
    outs: dict[str, Tensor]
    enters: list[Tensor]
    hidden: Float[Tensor, "L F"]
    votes: Float[Tensor, "L F"]


def endings(model: pretrained.Pretrained) -> list[Ending]:
    """All of them; ValueError where an end is more than one token."""
    found = [Ending(kind, *pair) for kind, pairs in KINDS.items() for pair in pairs]
    for ending in found:
        if model.ids(f" {ending.end}").size(1) != 1:
            raise ValueError(f"{ending.end!r} must be one token, to have one logit")
    return found


def last(value: Tensor) -> Change:
    """A change that puts `value` at the last place of a site (B, T, …)."""

    def change(out: Tensor) -> Tensor:
        changed = out.clone()
        changed[:, -1] = value
        return changed

    return change


def silent(units: list[int]) -> Change:
    """A change that sets these columns to 0 at the last place."""

    def change(out: Tensor) -> Tensor:
        changed = out.clone()
        changed[:, -1, units] = 0.0
        return changed

    return change


def unit_parts(model: DecoderLM, seen: Trace, token: int) -> Float[Tensor, "L F"]:
    """What each unit of each FFN adds, at the last place, to the token's logit over the mean logit; directly, norm frozen."""
    stream, w_u = seen[f"blocks.{len(model.blocks) - 1}.resid_post"][0, -1], head_rows(model)
    reads = (w_u[token] - w_u.mean(dim=0)) * model.norm.weight / norm_scale(model.norm, stream)  # (D,)
    return torch.stack([seen[f"blocks.{n}.ffn.hidden"][0, -1] * (reads @ block.ffn.w_out.weight) for n, block in enumerate(model.blocks)])


def log_p(logits: Float[Tensor, "1 T V"], token: int) -> float:
    return logits[0, -1].log_softmax(dim=-1)[token].item()


def read(model: DecoderLM, ids: Tensor, token: int, sites: list[str]) -> Read:
    """A beginning, read once, with all that is needed later."""
    with trace(model) as seen:
        logits = model(ids)
    hidden = torch.stack([seen[f"blocks.{n}.ffn.hidden"][0, -1] for n in range(len(model.blocks))])
    rank = int((logits[0, -1] > logits[0, -1, token]).sum())
    enters = [seen["dropout"], *(seen[f"blocks.{n}.resid_post"] for n in range(len(model.blocks) - 1))]
    outs = {site: seen[site][0, -1] for site in sites}
    return Read(log_p(logits, token), rank, outs, enters, hidden, unit_parts(model, seen, token))


class Contexts:
    """Where these units, (layer, unit), fire on the 85 plain sentences; the first token is left out, at which everything is large."""

    def __init__(self, loaded: pretrained.Pretrained, units: list[tuple[int, int]]):
        self.model, self.tokenizer = loaded.model, loaded.tokenizer
        self.texts = [loaded.ids(f" {sentence}")[0].tolist() for sentence in SENTENCES]  # a word begins with its space
        self.fires: dict[tuple[int, int], list[tuple[float, int, int]]] = {unit: [] for unit in units}
        for row, text in enumerate(self.texts):
            with trace(self.model) as seen:
                self.model(torch.tensor([text]))
            for layer, unit in self.fires:
                values = seen[f"blocks.{layer}.ffn.hidden"][0, :, unit].tolist()
                self.fires[layer, unit] += [(value, row, at) for at, value in enumerate(values) if at]

    def of(self, layer: int, unit: int, sign: float, k: int = 6) -> dict[str, object]:
        """The words at which it fires most towards `sign`, and the tokens it then promotes most directly."""
        best = sorted(self.fires[layer, unit], key=lambda place: -sign * place[0])[:k]
        words = [[round(sign * v, 2), self.tokenizer.decode([self.texts[row][at]]).strip(), SENTENCES[row]] for v, row, at in best]
        rises = direct_effect(self.model, sign * self.model.blocks[layer].ffn.w_out.weight[:, unit])
        pushed = [self.tokenizer.decode([token]).strip() for token in rises.topk(8).indices.tolist()]
        return {"sign": sign, "fires": words, "promotes": pushed}


@torch.no_grad()
def measure() -> list[dict[str, object]]:
    """52 endings: each sublayer held, then twenty units silenced, then the first unit's contexts; about two minutes."""
    loaded = pretrained.smollm2()
    model, items = loaded.model, endings(loaded)
    ids, tokens = [loaded.ids(item.start) for item in items], [loaded.ids(f" {item.end}").item() for item in items]
    sites = [f"blocks.{n}.{kind}" for n in range(0, len(model.blocks), EVERY) for kind in ("attn", "ffn")]
    reads = [read(model, here, token, sites) for here, token in zip(ids, tokens)]
    means = {site: torch.stack([one.outs[site] for one in reads]).mean(dim=0) for site in sites}
    top, F = [one.votes.flatten().topk(TOP).indices.tolist() for one in reads], reads[0].votes.size(1)
    contexts, rows = Contexts(loaded, [divmod(units[0], F) for units in top]), []
    for i, item in enumerate(items):

        def gain(replace: dict[str, Change]) -> float:
            with trace(model, replace=replace):
                return round(log_p(model(ids[i]), tokens[i]) - reads[i].log_p, 3)

        def held(site: str) -> float:
            _, layer, kind = site.split(".")
            logits = rest(model, reads[i].enters[int(layer)], int(layer), kind, last(means[site]))
            return round(log_p(logits, tokens[i]) - reads[i].log_p, 3)

        def without(units: list[int]) -> float:
            by_layer = {layer: [u % F for u in units if u // F == layer] for layer in {u // F for u in units}}
            return gain({f"blocks.{layer}.ffn.hidden": silent(mine) for layer, mine in by_layer.items()})

        mates = [j for j, other in enumerate(items) if other.kind == item.kind]
        other = mates[(mates.index(i) + 1) % len(mates)]
        g = torch.Generator().manual_seed(i)
        drawn = [u // F * F + int(torch.randint(F, (), generator=g)) for u in top[i]]  # in the same layers
        votes, (layer, unit) = reads[i].votes, divmod(top[i][0], F)
        rows.append(
            {
                "kind": item.kind, "start": item.start, "end": item.end, "log p": round(reads[i].log_p, 3), "rank": reads[i].rank,
                "held": [held(site) for site in sites],
                "own": without(top[i]), "mate": without(top[other]), "random": without(drawn),
                "units": [[*divmod(u, F), round(votes.flatten()[u].item(), 3)] for u in top[i][:SHOWN]],
                "layers": [u // F for u in top[i]],
                **contexts.of(layer, unit, 1.0 if reads[i].hidden[layer, unit] > 0 else -1.0),
            }
        )  # fmt: skip
    return rows
