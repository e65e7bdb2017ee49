"""Nine toy languages, learned short and tested long, by a small decoder and by an LSTM.

    judged   a row of 0s and 1s, and a verdict after every letter that is asked     trained up to 16 letters
             first, two back, majority, brackets, parity, as many
    written  question = answer, a letter at a time                                  trained up to 5 letters
             copy, reverse, sort

The decoder has no positions but what its causal mask tells: on ten tasks of length that was no worse than any other
scheme (Kazemnejad et al. 2023), and there is no place that it could not read.

All rows are drawn anew at every step. The LSTM has as many weights as the transformer, within a twentieth, and reads
the judged ones. `planted` trains parity in the very shape that by_hand.odd_or_even solves it in.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Int64
from torch import Tensor, nn

from ..config import ModelConfig, Parts
from ..cores import use_fused
from ..data import Task
from ..data.batch import IGNORE
from ..init import init_weights
from ..recurrent import RecurrentLM
from ..transformer import DecoderLM
from .by_hand import ODD_SIZES, PARTS, blank, with_start

L, WRITTEN_L, SYMBOLS = 16, 5, 6
STEPS, BATCH, LR = 300, 32, 4e-3  # parity and the written take twice the steps
MODELS = ("transformer", "LSTM")
Rows = tuple[Int64[Tensor, "B T"], Int64[Tensor, "B T"]]  # letters, and the verdict asked for or IGNORE


def bits(n: int, T: int, dice: torch.Generator) -> Tensor:
    return torch.randint(0, 2, (n, T), generator=dice)


def first(n: int, T: int, dice: torch.Generator) -> Rows:
    """Was the first letter a 1?"""
    ids = bits(n, T, dice)
    return ids, ids[:, :1].expand(-1, T)


def two_back(n: int, T: int, dice: torch.Generator) -> Rows:
    """Is this letter the same as that two places ago?"""
    ids = bits(n, T, dice)
    same = (ids[:, 2:] == ids[:, :-2]).long()
    return ids, F.pad(same, (2, 0), value=IGNORE)


def majority(n: int, T: int, dice: torch.Generator) -> Rows:
    """More 1s than 0s so far? Asked where the two differ by one alone, the narrowest there is."""
    ids = bits(n, T, dice)
    ahead = (2 * ids - 1).cumsum(dim=1)
    return ids, torch.where(ahead.abs() == 1, (ahead > 0).long(), IGNORE)


def brackets(n: int, T: int, dice: torch.Generator) -> Rows:
    """1 opens and 0 closes: is all closed now? Asked at even places; nothing closes that was not open."""
    opens = torch.rand(n, T, generator=dice) < 0.4
    ids, depth = torch.zeros(n, T, dtype=torch.int64), torch.zeros(n, dtype=torch.int64)
    depths = torch.zeros_like(ids)
    for t in range(T):
        ids[:, t] = (opens[:, t] | (depth == 0)).long()
        depth = depth + 2 * ids[:, t] - 1
        depths[:, t] = depth
    asked = torch.arange(1, T + 1) % 2 == 0
    return ids, torch.where(asked, (depths == 0).long(), IGNORE)


def parity(n: int, T: int, dice: torch.Generator) -> Rows:
    """Is the number of 1s so far odd?"""
    ids = bits(n, T, dice)
    return ids, ids.cumsum(dim=1) % 2


def as_many(n: int, T: int, dice: torch.Generator) -> Rows:
    """0s, then 1s: fewer 1s than 0s so far (0), as many (1), more (2)? Asked at these three places of the row."""
    zeros = torch.randint(1, T // 2, (n, 1), generator=dice)
    at = torch.arange(T)
    ahead = at + 1 - 2 * zeros  # 1s minus 0s, once the 1s have begun
    return (at >= zeros).long(), torch.where((ahead.abs() <= 1) & (at >= zeros), ahead + 1, IGNORE)


JUDGED: dict[str, Callable[[int, int, torch.Generator], Rows]] = {
    "first": first, "two back": two_back, "majority": majority, "brackets": brackets, "parity": parity, "as many": as_many,
}  # fmt: skip
WRITTEN = ("copy", "reverse", "sort")
PLACES = {"up to L": (L // 2, L), "up to 2L": (L + L // 2, 2 * L), "up to 4L": (3 * L, 4 * L)}  # from, below; places count from 0


def build(model: str, vocab: int, seed: int) -> nn.Module:
    """About 26,000 weights: 2 blocks, 4 heads, 32 wide; or one LSTM layer, 56 wide."""
    torch.manual_seed(seed)
    if model == "LSTM":
        return RecurrentLM(vocab, 56)
    return use_fused(DecoderLM(ModelConfig(
        vocab=vocab, max_len=4 * L, d_model=32, n_heads=4, n_layers=2, parts=Parts(position="none", tied=False)
    )))  # fmt: skip


def learn(model: nn.Module, rows: Callable[[int], Rows], steps: int, lr: float = LR) -> nn.Module:
    """AdamW; the rate rises for 30 steps and then falls to nothing. rows(step) are the letters and verdicts of a step."""
    optimiser = torch.optim.AdamW(model.parameters(), lr=lr)
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = lr * min(1, (step + 1) / 30) * (1 - step / steps)
        ids, asked = rows(step)
        loss = F.cross_entropy(model(ids).flatten(0, 1), asked.flatten(), ignore_index=IGNORE)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
    return model.eval()


def judge(model: str, language: str, seed: int, *, steps: int | None = None) -> nn.Module:
    """A model after its lessons in one judged language, on rows of L letters."""
    steps = (2 * STEPS if language == "parity" else STEPS) if steps is None else steps
    dice = torch.Generator().manual_seed(seed)
    return learn(build(model, 3, seed), lambda step: JUDGED[language](BATCH, L, dice), steps)


def write(model: str, language: str, seed: int, *, steps: int = 2 * STEPS) -> nn.Module:
    """The same in a written one; each step's questions are equally long, 1 to 5 letters."""
    tasks = [Task(language, length=n, symbols=SYMBOLS) for n in range(1, WRITTEN_L + 1)]
    order = torch.randint(len(tasks), (steps,), generator=torch.Generator().manual_seed(seed)).tolist()

    def rows(step: int) -> Rows:
        batch = tasks[order[step]].batch(step, BATCH, seed=seed)
        return batch.inputs[0], batch.targets

    return learn(build(model, tasks[0].vocab, seed), rows, steps)


@torch.no_grad()
def verdicts_right(model: nn.Module, language: str) -> dict[str, list[float]]:
    """For each stretch of PLACES: the share of right verdicts, and that of always giving the commonest one."""
    rows, asked = JUDGED[language](500, 4 * L, torch.Generator().manual_seed(99))
    said, found = model(rows).argmax(dim=-1), {}
    for name, (low, high) in PLACES.items():
        true, mine = asked[:, low:high], said[:, low:high]
        true, mine = true[true != IGNORE], mine[true != IGNORE]
        common = torch.bincount(true).max() / len(true)
        found[name] = [round((mine == true).double().mean().item(), 4), round(common.item(), 4)]
    return found


@torch.no_grad()
def letters_right(model: nn.Module, language: str) -> dict[str, list[float]]:
    """With questions of L and 2 L letters: the share of letters right, and of answers right to the end."""
    found = {}
    for name, n in (("up to L", WRITTEN_L), ("up to 2L", 2 * WRITTEN_L)):
        batch = Task(language, length=n, symbols=SYMBOLS).batch(0, 300, split="valid")
        asked = batch.targets != IGNORE
        asked[:, -1] = False  # where it ends is another question
        right = (model(*batch.inputs).argmax(dim=-1) == batch.targets) & asked
        whole = (right == asked).all(dim=1)
        found[name] = [round((right.sum() / asked.sum()).item(), 4), round(whole.double().mean().item(), 4)]
    return found


def planted(seed: int, *, steps: int = 2 * STEPS) -> dict[str, list[float]]:
    """Parity in the shape of by_hand.odd_or_even, from random weights: the share right at places 1 … L."""
    torch.manual_seed(seed)
    model = blank(DecoderLM(ModelConfig(vocab=2, max_len=L + 1, parts=PARTS, **ODD_SIZES))).requires_grad_(True)
    init_weights(model, n_layers=2)
    for weight in model.parameters():  # a width of 7 wants larger first weights than the usual 0.02
        if weight.dim() == 2:
            nn.init.normal_(weight, 0.0, 7**-0.5)
    dice = torch.Generator().manual_seed(seed)

    def rows(step: int) -> Rows:
        ids = with_start(bits(BATCH, L, dice), 0)
        return ids, ids.cumsum(dim=1) % 2

    learn(model, rows, steps)
    ids = with_start(bits(1000, L, torch.Generator().manual_seed(99)), 0)
    with torch.no_grad():
        right = (model(ids).argmax(dim=-1) == ids.cumsum(dim=1) % 2).double().mean(dim=0)
    return {"up to L": [round(right[-L // 2 :].mean().item(), 4), 0.5]}


def measure(seeds: range = range(3)) -> list[dict[str, object]]:
    """Every model with every seed in every language it reads; parity in the built shape, five seeds."""
    rows = []
    for seed in seeds:
        for model in MODELS:
            for language in JUDGED:
                found = verdicts_right(judge(model, language, seed), language)
                rows.append({"language": language, "model": model, "seed": seed, "right": found})
            for language in WRITTEN if model != "LSTM" else ():
                found = letters_right(write(model, language, seed), language)
                rows.append({"language": language, "model": model, "seed": seed, "right": found})
    return rows + [{"language": "parity", "model": "the built shape", "seed": s, "right": planted(s)} for s in range(5)]
