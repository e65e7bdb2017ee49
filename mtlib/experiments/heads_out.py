"""SmolLM2 with a head held at its mean, for each of its 270: what it costs, beside where the head looks.

Two kinds of text. Plain: four of ours, 20 tokens each. Repeated: rows of 12 random tokens, twice, in which nothing but
what followed a token before tells what comes. A head's output is replaced by the mean it has over the texts of the
kind, which takes away what it says of this place and leaves what the layers above have learned to expect. Then heads
are silenced together: those that look most as induction does, and as many drawn at random.
"""

from collections.abc import Mapping
from random import Random

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor

from .. import interp, pretrained
from ..cores import use_explicit, use_fused
from ..interp.ablate import Change
from ..trace import trace
from ..transformer import DecoderLM

TEXTS = (
    "The museum opens at nine every day except Monday. Tickets can be bought at the door, and children under six enter "
    "for free. On Sundays the garden behind the house is open too, and there is music in the afternoon.",
    "My grandmother kept bees for forty years. Every spring she put on the white suit and opened the hives, one after "
    "another, while we watched from the kitchen window. She was never stung, or so she told us when we asked.",
    "The bus was late again, so we walked along the river to the station. It had rained all night and the path was full "
    "of water. By the time we arrived, the train had left and the next one came two hours later.",
    "To repair a chair, first take it apart and clean the joints. Old glue must go, for new glue does not hold on it. "
    "Then put the legs back, tie a rope around them, and wait for a day before anyone sits down.",
)
T, PERIOD, ROWS = 20, 12, 3
TOGETHER, DRAWS = (1, 4, 16), 3


def texts(model: pretrained.Pretrained) -> dict[str, Int64[Tensor, "B T"]]:
    """Both kinds of text as ids; the random tokens are words that begin with a space and a small letter."""
    words = [i for i in range(model.tokenizer.get_vocab_size()) if _is_word(model.tokenizer.id_to_token(i))]
    drawn = interp.repeated_tokens(ROWS, PERIOD, len(words), generator=torch.Generator().manual_seed(14))
    return {"plain": torch.cat([model.ids(text)[:, :T] for text in TEXTS]), "repeated": torch.tensor(words)[drawn]}


def _is_word(token: str) -> bool:
    return token[0] == "Ġ" and len(token) > 3 and token[1:].isascii() and token[1:].isalpha() and token[1:].islower()


def losses(logits: Float[Tensor, "B T V"], ids: Int64[Tensor, "B T"], kind: str) -> Float[Tensor, "B"]:
    """Mean loss of each text; of a repeated one only where the next token can be known."""
    start = PERIOD if kind == "repeated" else 0
    return F.cross_entropy(logits[:, start:-1].mT, ids[:, start + 1 :], reduction="none").mean(dim=1)


def rest(model: DecoderLM, x: Float[Tensor, "B T D"], layer: int, site: str, change: Change) -> Float[Tensor, "B T V"]:
    """The logits from what enters `layer`, with a change at a site of it; the layers below need not run again."""
    with trace(model.blocks[layer], replace={site: change}):
        x = model.blocks[layer](x, position=model.pos)
    for block in model.blocks[layer + 1 :]:
        x = block(x, position=model.pos)
    return model.unembed(model.norm(x))


@torch.no_grad()
def alone(model: DecoderLM, ids: Int64[Tensor, "B T"], kind: str) -> Float[Tensor, "L H B"]:
    """For every head, what each text's loss gains when the head is held at its mean."""
    use_fused(model)
    with trace(model) as seen:
        whole = losses(model(ids), ids, kind)
    enters = [seen["dropout"], *(seen[f"blocks.{layer}.resid_post"] for layer in range(len(model.blocks) - 1))]
    costs = []
    for layer, x in enumerate(enters):
        means = seen[f"blocks.{layer}.attn.core"].mean(dim=(0, 2))  # (H, E)
        changes = [interp.set_head(head, mean) for head, mean in enumerate(means)]
        costs.append(torch.stack([losses(rest(model, x, layer, "attn.core", change), ids, kind) - whole for change in changes]))
    use_explicit(model)
    return torch.stack(costs)


@torch.no_grad()
def together(model: DecoderLM, ids: Int64[Tensor, "B T"], kind: str, heads: list[tuple[int, int]]) -> float:
    """What the mean loss gains when all these heads are held at their means."""
    with trace(model) as seen:
        whole = losses(model(ids), ids, kind)
    replace: Mapping[str, Change] = {}
    for layer in {layer for layer, _ in heads}:
        mine, means = [head for at, head in heads if at == layer], seen[f"blocks.{layer}.attn.core"].mean(dim=(0, 2))
        replace = {**replace, f"blocks.{layer}.attn.core": _held(mine, means)}
    with trace(model, replace=replace):
        return (losses(model(ids), ids, kind) - whole).mean().item()


def _held(heads: list[int], means: Tensor) -> Change:
    def change(out: Tensor) -> Tensor:
        return out.index_copy(1, torch.tensor(heads), means[heads][None, :, None].expand(out.size(0), -1, out.size(2), -1))

    return change


def measure() -> list[dict[str, object]]:
    """Every head on both kinds of text, then heads together; about two minutes."""
    loaded = pretrained.smollm2()
    model, rows = loaded.model, []
    by_kind = texts(loaded)
    scores = {kind: interp.head_scores(model, ids) for kind, ids in by_kind.items()}
    for kind, ids in by_kind.items():
        for layer, of_layer in enumerate(alone(model, ids, kind)):
            for head, costs in enumerate(of_layer):
                looks = {job: round(score[layer, head].item(), 3) for job, score in scores[kind].items()}
                rows.append({"text": kind, "layer": layer, "head": head, "cost": [round(c, 4) for c in costs.tolist()], **looks})
    H = model.config.n_heads
    ranked = [divmod(int(at), H) for at in scores["repeated"]["induction"].flatten().argsort(descending=True)]
    use_fused(model)
    for many in TOGETHER:
        drawn = [[divmod(at, H) for at in Random(seed).sample(range(len(ranked)), many)] for seed in range(DRAWS)]
        for kind, ids in by_kind.items():
            rows.append(
                {
                    "text": kind, "together": many, "induction": round(together(model, ids, kind, ranked[:many]), 4),
                    "random": [round(together(model, ids, kind, heads), 4) for heads in drawn],
                }
            )  # fmt: skip
    return rows
