"""Two transformers that nobody trained: their weights are set by hand, column by column.

    odd_or_even    a decoder of two blocks; after every bit: is the number of ones so far odd?
    sorter         an encoder of two blocks; at place i the i-th letter in the order of the alphabet

Both are mt.Decoder and mt.Encoder with the norms taken out, so that a column keeps its meaning all the way up the
residual stream. A row begins with a token of its own, at place 0: a 0 for the one, START for the other.
The idea of such programs: Weiss et al. 2021, "Thinking Like Transformers".
"""

import torch
from jaxtyping import Int64
from torch import Tensor, nn

from ..config import ModelConfig, Parts
from ..encoder import Encoder
from ..transformer import DecoderLM

BIT, NUMBER, SQUARE, SIGN, SHARE, COUNT, ANSWER = range(7)  # the columns of odd_or_even
ODD_SIZES = {"d_model": 7, "n_heads": 1, "n_layers": 2, "d_ff": 1}
PARTS = Parts(ffn="reglu", position="learned", tied=False)


def blank(model: nn.Module) -> nn.Module:
    """The model with all weights at zero and without norms."""
    for weight in model.parameters():
        nn.init.zeros_(weight)
    for block in model.blocks:
        block.norm1, block.norm2 = nn.Identity(), nn.Identity()
    model.norm = nn.Identity()
    return model.requires_grad_(False).eval()


def odd_or_even(max_len: int, sharpness: float = 10.0) -> DecoderLM:
    """Logits at place t for the parity of bits 1 … t, as tokens 0 and 1.

    Place 0 holds a 0 that changes nothing.
    """
    model = blank(DecoderLM(ModelConfig(vocab=2, max_len=max_len, parts=PARTS, **ODD_SIZES)))
    first, second = model.blocks
    t = torch.arange(max_len)
    model.tok.weight[1, BIT] = 1
    model.pos.weight[:, NUMBER] = t.float()
    model.pos.weight[:, SQUARE] = t.float() ** 2
    model.pos.weight[:, SIGN] = 1.0 - 2 * (t % 2)

    # All scores 0: the mean of the bits so far. Times how many there are: the count k.
    first.attn.v_proj.weight[0, BIT] = 1
    first.attn.o_proj.weight[SHARE, 0] = 1
    first.ffn.w_gate.weight[0, NUMBER] = first.ffn.w_gate.bias[0] = 1
    first.ffn.w_in.weight[0, SHARE] = 1
    first.ffn.w_out.weight[COUNT, 0] = 1

    # Score 2kj - j², greatest at place j = k; fetch from there whether its number is even.
    scale = sharpness * model.config.head_width**0.5
    second.attn.q_proj.weight[0, COUNT] = 2 * scale
    second.attn.q_proj.bias[1] = -scale
    second.attn.k_proj.weight[0, NUMBER] = second.attn.k_proj.weight[1, SQUARE] = 1
    second.attn.v_proj.weight[0, SIGN] = 1
    second.attn.o_proj.weight[ANSWER, 0] = 1
    model.head.weight[:, ANSWER] = torch.tensor([5.0, -5.0])
    return model


def sorter(letters: int, max_len: int) -> Encoder:
    """Sorts rows of START and then tokens 0 … letters-1.

    Columns: which token stands here (letters + 1, START last), the place's
    number, the share of each token in the row (letters + 1), the place as a
    share of the row, and the answer (letters).
    """
    V = letters
    sizes = {"d_model": 3 * V + 4, "n_heads": 1, "n_layers": 2, "d_ff": 2 * V - 1}
    model = blank(Encoder(ModelConfig(vocab=V + 1, max_len=max_len, parts=PARTS, **sizes)))
    first, second = model.blocks
    number, share, place, answer = V + 1, V + 2, 2 * V + 3, 2 * V + 4
    model.tok.weight[:, : V + 1] = torch.eye(V + 1)
    model.pos.weight[:, number] = torch.arange(max_len).float()

    # All scores 0: the share of each token. START stands once, so its share is 1/n.
    first.attn.v_proj.weight[: V + 1, : V + 1] = torch.eye(V + 1)
    first.attn.o_proj.weight[share : share + V + 1, : V + 1] = torch.eye(V + 1)
    one = share + V  # the column that holds 1/n
    first.ffn.w_gate.weight[0, number] = first.ffn.w_in.weight[0, one] = first.ffn.w_out.weight[place, 0] = 1

    # Letter v or later stands here if the place is beyond all letters
    # before v: a step of height 1/n, by two bends.
    gate, out = second.ffn.w_gate.weight, second.ffn.w_out.weight
    second.ffn.w_in.bias[:] = 1
    gate[0, one] = out[answer, 0] = 1  # the step that all have taken
    for v in range(1, V):
        up, down = 2 * v - 1, 2 * v
        for unit in up, down:
            gate[unit, place], gate[unit, share : share + v] = 1, -1
        gate[down, one] = -1
        out[answer + v, up], out[answer + v, down] = 1, -1
        out[answer + v - 1, up], out[answer + v - 1, down] = -1, 1
    return model


def with_start(rows: Int64[Tensor, "B T"], start: int) -> Int64[Tensor, "B T1"]:
    """The rows behind a first token."""
    return torch.cat([torch.full_like(rows[:, :1], start), rows], dim=1)
