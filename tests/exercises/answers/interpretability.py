"""Right answers written otherwise than ours. Each must pass: a check that refuses one would teach falsely."""

import math

import torch
import torch.nn.functional as F

import mtlib as mt


def entropy_by_entr(weights):
    return torch.special.entr(weights).sum(dim=3).mean(dim=2).mean(dim=0)


def entropy_by_clamp(weights):
    """A hair above 0 inside the logarithm."""
    return -(weights * weights.clamp(min=1e-30).log()).sum(-1).mean(dim=(0, 2))


def entropy_head_by_head(weights):
    B, H, T_q, _ = weights.shape
    found = []
    for h in range(H):
        rows = weights[:, h].reshape(B * T_q, -1).tolist()
        found.append(sum(-w * math.log(w) for row in rows for w in row if w > 0) / (B * T_q))
    return torch.tensor(found, dtype=weights.dtype)


def induction_by_diagonal(weights, period):
    return weights.diagonal(offset=1 - period, dim1=-2, dim2=-1)[..., 1:].mean(dim=(0, 2))


def induction_by_mask(weights, period):
    T = weights.size(-1)
    t, key = torch.arange(T)[:, None], torch.arange(T)
    wanted = (key == t - period + 1) & (t >= period)
    return (weights * wanted).sum((-1, -2)).mean(0) / (T - period)


def induction_one_at_a_time(weights, period):
    places = [weights[:, :, t, t - period + 1] for t in range(period, weights.shape[2])]
    return torch.stack(places).mean((0, 1))


def ablate_by_hook(model, layer, head, ids):
    o_proj = model.blocks[layer].attn.o_proj
    E = o_proj.in_features // model.config.n_heads

    def silence(module, args):
        merged = args[0].clone()
        merged[..., head * E : (head + 1) * E] = 0.0
        return (merged,)

    handle = o_proj.register_forward_pre_hook(silence)
    try:
        with torch.no_grad():
            return model(ids)
    finally:
        handle.remove()


def ablate_and_give_back(model, layer, head, ids):
    """The head's columns of o_proj's weight are 0 for the length of one run."""
    weight = model.blocks[layer].attn.o_proj.weight
    E = weight.shape[1] // model.config.n_heads
    columns = slice(head * E, head * E + E)
    with torch.no_grad():
        kept = weight[:, columns].clone()
        weight[:, columns] = 0
        try:
            return model(ids)
        finally:
            weight[:, columns] = kept


def ablate_its_weights(model, layer, head, ids):
    """A head whose every weight is 0 says nothing."""

    def blind(weights):
        weights = weights.clone()
        weights[:, head] = 0
        return weights

    with torch.no_grad(), mt.trace(model, replace={f"blocks.{layer}.attn.core.weights": blind}):
        return model(ids)


def effect_from_one(clean, corrupt, patched):
    way = clean - corrupt
    if way == 0:
        raise ValueError("nowhere to go")
    return 1 - (clean - patched) / way


def patched_by_hooks(model, clean_ids, corrupt_ids, site):
    module, kept = dict(model.named_modules())[site], {}

    def keep(module, args, out):
        kept["value"] = out.detach().clone()

    def give(module, args, out):
        return kept["value"]

    with torch.no_grad():
        for ids, hook in ((clean_ids, keep), (corrupt_ids, give)):
            handle = module.register_forward_hook(hook)
            out = model(ids)
            handle.remove()
    return out


def patched_by_one_trace(model, clean_ids, corrupt_ids, site):
    """Both texts in one batch, the value copied from one half to the other."""
    B = len(clean_ids)

    def copy(value):
        return torch.cat([value[:B], value[:B]])

    with mt.trace(model, replace={site: copy}):
        return model(torch.cat([clean_ids, corrupt_ids]))[B:]


def lens_by_trace(model, ids):
    with torch.no_grad(), mt.trace(model) as t:
        model(ids)
        depths = [t["pos"], *(t[f"blocks.{i}"] for i in range(len(model.blocks)))]
        return model.unembed(model.norm(torch.stack(depths)))


def lens_in_one_product(model, ids):
    stream = model.tok(ids) + model.pos.weight[: ids.shape[1]]
    found = stream[None]
    for block in model.blocks:
        found = torch.cat([found, block(found[-1])[None]])
    return F.linear(model.norm(found), model.tok.weight)


def direct_by_moving_the_mean(parts, scale, gain, w_u):
    """The row is centred in place of the parts."""
    row = gain * w_u
    return parts @ (row - row.mean()) / scale


def direct_part_by_part(parts, scale, gain, w_u):
    return torch.stack([torch.dot((part - part.mean()) / scale * gain, w_u) for part in parts])


def probe_by_lstsq(x, y, strength):
    """The penalty as more rows of data."""
    D = x.size(1)
    more = strength**0.5 * torch.eye(D, dtype=x.dtype)
    return torch.linalg.lstsq(torch.cat([x, more]), torch.cat([y, y.new_zeros(D, y.size(1))])).solution


def probe_by_svd(x, y, strength):
    u, s, vh = torch.linalg.svd(x, full_matrices=False)
    return vh.T @ ((s / (s**2 + strength))[:, None] * (u.T @ y))


ANSWERS = {
    "interpretability.entropy": [(entropy_by_entr,), (entropy_by_clamp,), (entropy_head_by_head,)],
    "interpretability.induction": [(induction_by_diagonal,), (induction_by_mask,), (induction_one_at_a_time,)],
    "interpretability.ablate": [(ablate_by_hook,), (ablate_and_give_back,), (ablate_its_weights,)],
    "interpretability.patch": [(effect_from_one, patched_by_hooks), (effect_from_one, patched_by_one_trace)],
    "interpretability.logit_lens": [(lens_by_trace,), (lens_in_one_product,)],
    "interpretability.direct_logit": [(direct_by_moving_the_mean,), (direct_part_by_part,)],
    "interpretability.probe": [(probe_by_lstsq,), (probe_by_svd,)],
}
