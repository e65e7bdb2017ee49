"""What answers are compared with is itself compared, with torch."""

import torch
from torch import nn

from mtlib.exercises.attention.layers import Reference


def test_the_reference_layer_is_torchs_multi_head_attention():
    ours, theirs = Reference(6, 3).double(), nn.MultiheadAttention(6, 3, batch_first=True).double()
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([p.weight for p in (ours.q_proj, ours.k_proj, ours.v_proj)]))
        theirs.in_proj_bias.copy_(torch.cat([p.bias for p in (ours.q_proj, ours.k_proj, ours.v_proj)]))
        theirs.out_proj.load_state_dict(ours.o_proj.state_dict())
    x, context = torch.randn(2, 4, 6).double(), torch.randn(2, 5, 6).double()
    keep = torch.rand(4, 5) < 0.5
    keep[:, 0] = True
    expected = theirs(x, context, context, attn_mask=~keep, need_weights=False)[0]
    torch.testing.assert_close(ours(x, context, keep), expected, rtol=0, atol=1e-12)
