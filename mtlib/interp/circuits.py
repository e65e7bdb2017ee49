"""A head in two matrices: where it looks, and what it moves from there.

    score_ij = x_i  M_QK  x_jᵀ / √E        M_QK = W_Q W_Kᵀ        (D, D)
    output_i = Σ_j weight_ij x_j  M_OV     M_OV = W_V W_O         (D, D)

x are the normed vectors that enter attention, rows; both matrices have rank E at most. q, k, v
and o never matter by themselves, only in these two products. Source: Elhage et al. 2021, "Splitting
Attention Head terms into Query-Key and Output-Value Circuits". Left out: biases, and rotary or
score biases, so M_QK is the score at distance 0. Query head h reads keys and values of group
h // (H/G). nn.Linear keeps its matrix transposed, (out, in): the code turns it back.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..attention import MultiHeadAttention
from ..norm import LayerNorm
from ..transformer import DecoderLM
from ._run import at_rest, block_path, counted, writer_of
from .attribution import head_rows, needs_sum


def qk_circuit(attn: MultiHeadAttention, head: int) -> Float[Tensor, "D D"]:
    """W_Q W_Kᵀ of one head: row, what asks; column, what is asked.

    >>> qk_circuit(MultiHeadAttention(8, 2), head=1).shape
    torch.Size([8, 8])
    """
    counted(head=(head, attn.n_heads))
    w_q = _columns(attn.q_proj, head, attn.n_heads)  # (D, E)
    w_k = _columns(attn.k_proj, _group(attn, head), attn.n_kv_heads)
    return w_q @ w_k.T


def ov_circuit(attn: MultiHeadAttention, head: int) -> Float[Tensor, "D D"]:
    """W_V W_O of one head: row, what is read; column, what is written.

    >>> attn, x = MultiHeadAttention(8, 2, bias=False), torch.randn(1, 1, 8)
    >>> both = ov_circuit(attn, 0) + ov_circuit(attn, 1)        # alone, a position can look only at itself
    >>> torch.allclose(x @ both, attn(x), atol=1e-6)
    True
    """
    w_v = _columns(attn.v_proj, _group(attn, head), attn.n_kv_heads)  # (D, E)
    return w_v @ _rows_of_o(attn, head)


def ov_vocabulary(model: nn.Module, layer: int, head: int) -> Float[Tensor, "V V"]:
    """The full OV circuit: what the head adds to every token's logit (column) by looking at a token (row).

    The token's embedding passes the layer's norm, then M_OV, then the final norm's centring and
    gain and the head. Not known without a text: the final norm's scale, one positive number for a
    whole row of the stream, so signs and orders stand and sizes do not. V² numbers: for small V.
    Raises ValueError for placement 'post'.

    >>> import mtlib as mt; config = mt.ModelConfig(vocab=9, max_len=4, d_model=8, n_heads=2, n_layers=1)
    >>> ov_vocabulary(mt.DecoderLM(config), layer=0, head=1).shape
    torch.Size([9, 9])
    """
    read, written = _read_and_written(model, layer, head)
    return read @ written


def copying_score(model: nn.Module, layer: int, head: int) -> float:
    """Does looking at a token make that token likelier? Σ λ / Σ |λ| over the full OV circuit's eigenvalues.

    1: every direction in token space comes out as it went in, or stretched; -1: turned round; 0:
    neither. Source: Elhage et al. 2021, "Summarizing OV/QK matrices". The V × V matrix
    is a product of a V × E and an E × V one; the eigenvalues other than 0 are those of the
    product the other way round, E × E, so any vocabulary will do.

    Above layer 0 heads read what the layers below made of a token, not its bare embedding: a head
    that copies can score -1 (tests/interp/test_induction.py has one). Ask logit_parts there.

    >>> import mtlib as mt; config = mt.ModelConfig(vocab=9, max_len=4, d_model=8, n_heads=2, n_layers=1)
    >>> -1 <= copying_score(mt.DecoderLM(config), layer=0, head=1) <= 1
    True
    """
    read, written = _read_and_written(model, layer, head)
    eigenvalues = torch.linalg.eigvals((written @ read).double())
    return float(eigenvalues.real.sum() / eigenvalues.abs().sum().clamp(min=torch.finfo(torch.float64).tiny))


def direct_effect(writer: DecoderLM, x: Float[Tensor, "*any D"]) -> Float[Tensor, "*any V"]:
    """What adding x to the final stream adds to every logit, but for the final norm's positive scale.

    >>> import mtlib as mt; config = mt.ModelConfig(vocab=9, max_len=4, d_model=8, n_heads=2, n_layers=1)
    >>> direct_effect(mt.DecoderLM(config), torch.zeros(8)).abs().sum().item()
    0.0
    """
    needs_sum(writer)
    if isinstance(writer.norm, LayerNorm):
        x = x - x.mean(dim=-1, keepdim=True)
    return x * writer.norm.weight @ head_rows(writer).T


def _read_and_written(model: nn.Module, layer: int, head: int) -> tuple[Tensor, Tensor]:
    """(V, E) what the head reads of each token, and (E, V) what it writes to each token's logit."""
    _, writer = writer_of(model)
    block_path(model, layer)  # says which layers there are
    block = writer.blocks[layer]
    with at_rest(model):
        written = direct_effect(writer, _rows_of_o(block.attn, head))
        w_v = _columns(block.attn.v_proj, _group(block.attn, head), block.attn.n_kv_heads)
        return block.norm1(writer.tok.weight) @ w_v, written


def _columns(proj: nn.Linear, head: int, n_heads: int) -> Tensor:
    """The head's columns of x @ W: (D, E)."""
    return proj.weight.unflatten(0, (n_heads, -1))[head].T


def _rows_of_o(attn: MultiHeadAttention, head: int) -> Tensor:
    """The rows of W_O that the head's E outputs meet: (E, D)."""
    counted(head=(head, attn.n_heads))
    return attn.o_proj.weight.unflatten(1, (attn.n_heads, -1))[:, head].T


def _group(attn: MultiHeadAttention, head: int) -> int:
    counted(head=(head, attn.n_heads))
    return head // (attn.n_heads // attn.n_kv_heads)
