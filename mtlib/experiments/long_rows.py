"""Why long rows are hard: more keys to choose from, or places never seen? Both, each without the other.

    a row        n keys, each of a colour and with a letter; exactly one has the colour that the last place asks for
    the model    one attention, from the last place to the keys; then a linear map names the letter
    trained on   rows of 4 to 32 keys, at places 0 … 31

    more keys    n of them, folded: as many rows of 32 as it takes, all of them at places 0 … 31
    farther      n places, of which all but 32 are hidden: as few keys as in training, at places never seen
    both         n keys at n places: simply a long row
"""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from .. import parts
from ..attention import MultiHeadAttention, merge_heads, split_heads
from ..config import ModelConfig, Parts, Scheme

SHORT, LONGEST = 32, 8192  # keys: at most in training, at most in the test
COLOURS, LETTERS = 8, 16
SCHEMES: tuple[Scheme, ...] = ("none", "learned", "sinusoidal", "rotary", "alibi")
WAYS = ("more keys", "farther", "both")
LENGTHS = (32, 128, 512, 2048, 8192)
STEPS, BATCH, LR = 300, 64, 5e-3
Row = tuple[Int64[Tensor, "B n"], Int64[Tensor, "B n"], Int64[Tensor, "B"], Int64[Tensor, "B"]]


def rows(n: int, size: int, dice: torch.Generator) -> Row:
    """Colours and letters of n keys, the colour asked for, and at which place the only key of that colour stands."""
    asked, at = torch.randint(COLOURS, (size,), generator=dice), torch.randint(n, (size,), generator=dice)
    others = torch.randint(1, COLOURS, (size, n), generator=dice)
    colours = (asked[:, None] + others) % COLOURS  # any but the one asked for
    colours[torch.arange(size), at] = asked
    return colours, torch.randint(LETTERS, (size, n), generator=dice), asked, at


class Finder(nn.Module):
    """The last place asks all keys; position enters as in any model of mtlib."""

    def __init__(self, scheme: Scheme):
        super().__init__()
        config = ModelConfig(
            vocab=LETTERS, max_len=LONGEST + 1, d_model=32, n_heads=2, n_layers=1, parts=Parts(position=scheme)
        )
        self.colour, self.letter, self.asker = nn.Embedding(COLOURS, 32), nn.Embedding(LETTERS, 32), nn.Embedding(COLOURS, 32)
        self.pos = parts.position(config, causal=True)
        self.attn = MultiHeadAttention(32, 2)
        self.head = nn.Linear(32, LETTERS)
        if scheme == "sinusoidal":  # which multiplies what it is given by √D
            for table in self.colour, self.letter, self.asker:
                table.weight.data /= math.sqrt(32)

    def scores(
        self,
        colours: Int64[Tensor, "B n"],
        letters: Int64[Tensor, "B n"],
        asked: Int64[Tensor, "B"],
        folded: bool = False,
    ) -> tuple[Float[Tensor, "B H 1 n"], Float[Tensor, "B H n E"]]:
        """The asker's scores, and the values. folded: in stretches of SHORT, each at places 0 … SHORT - 1."""
        B, n = colours.shape
        m = SHORT if folded else n  # places in a stretch; the asker stands right after
        x = self.pos((self.colour(colours) + self.letter(letters)).reshape(-1, m, 32))
        k = self.pos.turn(split_heads(self.attn.k_proj(x), 2))
        v = split_heads(self.attn.v_proj(x), 2)
        k, v = (y.unflatten(0, (B, -1)).transpose(1, 2).flatten(2, 3) for y in (k, v))  # (B, H, n, E)
        asker = self.pos(self.asker(asked)[:, None], start=m)
        q = self.pos.turn(split_heads(self.attn.q_proj(asker), 2), start=m)
        scores = q / math.sqrt(q.size(-1)) @ k.mT
        bias = self.pos.bias(q[:1], q.new_zeros(1, 2, m + 1, q.size(-1)))
        return scores if bias is None else scores + bias[..., :-1].repeat(1, 1, n // m), v

    def forward(self, colours: Tensor, letters: Tensor, asked: Tensor) -> Float[Tensor, "B letters"]:
        return self.name(*self.scores(colours, letters, asked))

    def name(
        self, scores: Float[Tensor, "B H 1 n"], v: Float[Tensor, "B H n E"], keep: Bool[Tensor, "B 1 1 n"] | None = None
    ) -> Float[Tensor, "B letters"]:
        """Scores of the letters, from those of the keys."""
        weights = (scores if keep is None else scores.masked_fill(~keep, -math.inf)).softmax(dim=-1)
        return self.head(self.attn.o_proj(merge_heads(weights @ v)))[:, 0]


def train(scheme: Scheme, seed: int, *, steps: int = STEPS) -> Finder:
    """By AdamW; each step's rows have equally many keys, 4 to 32. The rate rises for 30 steps, then falls to nothing."""
    torch.manual_seed(seed)
    model, dice = Finder(scheme), torch.Generator().manual_seed(seed)
    optimiser = torch.optim.AdamW(model.parameters(), lr=LR)
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = LR * min(1, (step + 1) / 30) * (1 - step / steps)
        n = int(torch.randint(4, SHORT + 1, (1,), generator=dice))
        colours, letters, asked, at = rows(n, BATCH, dice)
        loss = F.cross_entropy(model(colours, letters, asked), letters[torch.arange(BATCH), at])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return model.eval()


@torch.no_grad()
def test(model: Finder, way: str, n: int, *, sharper: bool = False, size: int = 64) -> dict[str, float]:
    """How often the letter is right; the weight on the key, in the head that gives it more; and its score's lead.

    sharper: all scores times log n / log SHORT. lead: the key's score above the log-mean-exp of the others', nats, in
    that same head.
    """
    dice = torch.Generator().manual_seed(1000 + n)
    colours, letters, asked, at = rows(n, size, dice)
    every = torch.arange(size)
    keep = None
    if way == "farther":
        order = torch.rand(size, n, generator=dice).index_put((every, at), torch.tensor(-1.0))
        keep = (order.argsort(dim=1).argsort(dim=1) < SHORT)[:, None, None]  # the key and 31 others
    scores, v = model.scores(colours, letters, asked, folded=way == "more keys")
    if sharper:
        scores = scores * math.log(n) / math.log(SHORT)
    seen = scores if keep is None else scores.masked_fill(~keep, -math.inf)
    right = model.name(scores, v, keep).argmax(dim=-1) == letters[every, at]
    weight = seen.softmax(dim=-1)[every, :, 0, at]  # (size, H)
    head = int(weight.mean(dim=0).argmax())
    others = seen[:, head, 0].index_put((every, at), torch.tensor(-math.inf))
    count = n - 1 if keep is None else SHORT - 1
    lead = seen[every, head, 0, at] - (others.logsumexp(dim=-1) - math.log(count))
    means = {"right": right.double().mean(), "weight": weight[:, head].mean(), "lead": lead.mean()}
    return {name: round(value.item(), 4) for name, value in means.items()}


def measure(seeds: range = range(3)) -> list[dict[str, object]]:
    """Every scheme with every seed, every way at every length, and the two with more keys once more with scores that grow."""
    found = []
    for scheme in SCHEMES:
        for seed in seeds:
            model = train(scheme, seed)
            for way, sharper in [(way, False) for way in WAYS] + [("more keys", True), ("both", True)]:
                for n in LENGTHS:
                    row = {"scheme": scheme, "seed": seed, "way": way, "sharper": sharper, "n": n}
                    found.append(row | test(model, way, n, sharper=sharper))
    return found
