"""Right answers written otherwise than ours. Each must pass: a check that refuses one would teach falsely."""

import torch
import torch.nn.functional as F
from torch import nn


def first_by_select(hidden, keep):
    return hidden.select(1, 0)


def mean_by_rows(hidden, keep):
    return torch.stack([h[k].mean(0) for h, k in zip(hidden, keep)])


def max_by_rows(hidden, keep):
    return torch.stack([h[k].max(0).values for h, k in zip(hidden, keep)])


def attention_by_rows(hidden, keep, w):
    return torch.stack([(h[k] @ w).softmax(0) @ h[k] for h, k in zip(hidden, keep)])


def first_by_index(hidden, keep):
    return hidden[torch.arange(len(hidden)), 0].clone()


def mean_by_weights(hidden, keep):
    weights = keep.to(hidden.dtype)
    return torch.einsum("bt,btd->bd", weights / weights.sum(1, keepdim=True), hidden)


def max_by_where(hidden, keep):
    return torch.where(keep.unsqueeze(-1), hidden, torch.finfo(hidden.dtype).min).max(dim=1)[0]


def attention_by_hand(hidden, keep, w):
    scores = (hidden * w).sum(-1)
    scores = torch.where(keep, scores, torch.full_like(scores, -torch.inf))
    shares = torch.exp(scores - scores.amax(1, keepdim=True))
    return (shares[:, None] @ hidden).squeeze(1) / shares.sum(1, keepdim=True)


def sft_by_ignore_index(logits, ids, answer_keep):
    targets = torch.where(answer_keep, ids, -100)[:, 1:]
    if not answer_keep[:, 1:].any():
        return logits.sum() * 0
    return F.cross_entropy(logits[:, :-1].flatten(0, 1), targets.flatten(), ignore_index=-100)


def sft_by_selection(logits, ids, answer_keep):
    asked = answer_keep[:, 1:]
    if asked.sum() == 0:
        return 0.0
    picked, said = logits[:, :-1][asked], ids[:, 1:][asked]
    return (picked.logsumexp(-1) - picked[torch.arange(len(said)), said]).mean()


def sft_row_by_row(logits, ids, answer_keep):
    total, count = logits.new_zeros(()), 0
    for scores, row, kept in zip(logits, ids, answer_keep):
        for t in range(1, len(row)):
            if kept[t]:
                total, count = total - scores[t - 1].log_softmax(0)[row[t]], count + 1
    return total / max(count, 1)


class ReaderPostNorm(nn.Module):
    """The norm after the addition, waves for positions, ReLU, the first position pooled."""

    def __init__(self, vocab, d_model, n_heads, n_layers, n_classes, max_len):
        super().__init__()
        if d_model % n_heads:
            raise ValueError("heads")
        self.H, self.tok = n_heads, nn.Embedding(vocab, d_model)
        angle = torch.arange(max_len)[:, None] / 50 ** (torch.arange(d_model) / d_model)
        self.register_buffer("waves", torch.cat([angle.sin(), angle.cos()], -1)[:, :d_model] + angle.cos())
        maps = lambda: nn.ModuleList(nn.Linear(d_model, d_model) for _ in range(4))  # noqa: E731
        self.layers = nn.ModuleList(
            nn.ModuleDict({"maps": maps(), "in": nn.Linear(d_model, 2 * d_model), "out": nn.Linear(2 * d_model, d_model),
                           "n1": nn.LayerNorm(d_model), "n2": nn.LayerNorm(d_model)}) for _ in range(n_layers))
        self.verdict = nn.Linear(d_model, n_classes)

    def look(self, maps, x, keep):
        q, k, v = (torch.stack(m(x).chunk(self.H, dim=-1), dim=1) for m in maps[:3])
        scores = torch.einsum("bhte,bhse->bhts", q, k) / q.size(-1) ** 0.5
        scores = scores + torch.zeros_like(scores).masked_fill(~keep[:, None, None, :], -torch.inf)
        return maps[3](torch.cat((scores.softmax(-1) @ v).unbind(1), dim=-1))

    def forward(self, ids, keep):
        x = self.tok(ids) + self.waves[: ids.shape[1]]
        for layer in self.layers:
            x = layer["n1"](x + self.look(layer["maps"], x, keep))
            x = layer["n2"](x + layer["out"](torch.relu(layer["in"](x))))
        return self.verdict(x[:, 0])


class ReaderSmall(nn.Module):
    """GPT-2's small start, RMS norm, SwiGLU, no bias, pooled by a query that is learned."""

    def __init__(self, vocab, d_model, n_heads, n_layers, n_classes, max_len):
        super().__init__()
        if d_model % n_heads != 0:
            raise ValueError(f"{d_model} over {n_heads}")
        self.heads = n_heads
        self.tables = nn.ParameterList([torch.randn(vocab, d_model), torch.randn(max_len, d_model)])
        self.mats = nn.ModuleList(nn.ModuleList(nn.Linear(d_model, n * d_model, bias=False) for n in (3, 1, 4, 4)) for _ in range(n_layers))
        self.back = nn.ModuleList(nn.Linear(4 * d_model, d_model, bias=False) for _ in range(n_layers))
        self.norms = nn.ModuleList(nn.RMSNorm(d_model) for _ in range(2 * n_layers + 1))
        self.ask, self.end = nn.Linear(d_model, 1), nn.Linear(d_model, n_classes)
        for table in self.tables:
            nn.init.normal_(table, std=0.02)

    def forward(self, ids, keep):
        B, T = ids.shape
        x = F.embedding(ids, self.tables[0]) + self.tables[1].narrow(0, 0, T)
        for i, (qkv, out, gate, up) in enumerate(self.mats):
            q, k, v = qkv(self.norms[2 * i](x)).view(B, T, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
            y = F.scaled_dot_product_attention(q, k, v, attn_mask=keep.view(B, 1, 1, T).expand(B, 1, T, T))
            x = x + out(y.permute(0, 2, 1, 3).reshape(B, T, -1))
            h = self.norms[2 * i + 1](x)
            x = x + self.back[i](F.silu(gate(h)) * up(h))
        x = self.norms[-1](x)
        shares = self.ask(x).squeeze(-1).masked_fill(~keep, -torch.inf).softmax(1)
        return self.end((shares.unsqueeze(1) @ x).squeeze(1))


class TranslatorPostNorm(nn.Module):
    """The norm after the addition, one table of positions for both sides, a triangle of −inf to add."""

    def __init__(self, vocab_source, vocab_target, d_model, n_heads, n_layers, max_len):
        super().__init__()
        if d_model % n_heads:
            raise ValueError("heads")
        self.H = n_heads
        self.e_source, self.e_target, self.place = (nn.Embedding(n, d_model) for n in (vocab_source, vocab_target, max_len))
        self.left, self.right = nn.ModuleList(), nn.ModuleList()
        for _ in range(n_layers):
            self.left.append(self.stack(d_model, 1))
            self.right.append(self.stack(d_model, 2))
        self.out = nn.Linear(d_model, vocab_target, bias=False)

    def stack(self, D, looks):
        parts = [nn.ModuleList([*(nn.Linear(D, D) for _ in range(4)), nn.LayerNorm(D)]) for _ in range(looks)]
        return nn.ModuleList([*parts, nn.ModuleList([nn.Linear(D, 2 * D), nn.Linear(2 * D, D), nn.LayerNorm(D)])])

    def look(self, part, x, y, forbidden):
        q, k, v, o, norm = part
        heads = []
        for a, b, c in zip(q(x).chunk(self.H, -1), k(y).chunk(self.H, -1), v(y).chunk(self.H, -1)):
            heads.append((a @ b.mT / a.size(-1) ** 0.5).masked_fill(forbidden, -torch.inf).softmax(-1) @ c)
        return norm(x + o(torch.cat(heads, -1)))

    def think(self, part, x):
        return part[2](x + part[1](part[0](x).relu()))

    def forward(self, source, inputs, source_keep):
        hidden = ~source_keep.unsqueeze(1)
        memory = self.e_source(source) + self.place(torch.arange(source.shape[1]))
        for look, think in self.left:
            memory = self.think(think, self.look(look, memory, memory, hidden))
        x = self.e_target(inputs) + self.place(torch.arange(inputs.shape[1]))
        later = torch.ones(inputs.shape[1], inputs.shape[1]).triu(1).bool()
        for back, across, think in self.right:
            x = self.look(across, self.look(back, x, x, later), memory, hidden)
            x = self.think(think, x)
        return self.out(x)


class TranslatorInOne(nn.Module):
    """One stack for both: every layer reads the source and what is written together, under one mask."""

    def __init__(self, vocab_source, vocab_target, d_model, n_heads, n_layers, max_len):
        super().__init__()
        if d_model % n_heads:
            raise ValueError("heads")
        self.H = n_heads
        self.source, self.target = nn.Embedding(vocab_source, d_model), nn.Embedding(vocab_target, d_model)
        self.places = nn.Parameter(torch.randn(2, max_len, d_model))
        self.qkv = nn.ModuleList(nn.Linear(d_model, 3 * d_model) for _ in range(n_layers))
        self.o = nn.ModuleList(nn.Linear(d_model, d_model) for _ in range(n_layers))
        self.ffn = nn.ModuleList(
            nn.Sequential(nn.RMSNorm(d_model), nn.Linear(d_model, 3 * d_model), nn.SiLU(), nn.Linear(3 * d_model, d_model))
            for _ in range(n_layers))
        self.end = nn.Sequential(nn.RMSNorm(d_model), nn.Linear(d_model, vocab_target))

    def forward(self, source, inputs, source_keep):
        (B, S), T = source.shape, inputs.shape[1]
        x = torch.cat([self.source(source) + self.places[0, :S], self.target(inputs) + self.places[1, :T]], dim=1)
        may = torch.zeros(B, 1, S + T, S + T, dtype=torch.bool)
        may[..., :S] = source_keep[:, None, None]
        may[..., S:, S:] = torch.tril(torch.ones(T, T)).bool()
        for qkv, o, ffn in zip(self.qkv, self.o, self.ffn):
            q, k, v = (z.reshape(B, S + T, self.H, -1).transpose(1, 2) for z in qkv(F.rms_norm(x, x.shape[-1:])).chunk(3, -1))
            x = x + o(F.scaled_dot_product_attention(q, k, v, may).transpose(1, 2).reshape(B, S + T, -1))
            x = x + ffn(x)
        return self.end(x[:, S:])


class Projections(nn.Module):
    def __init__(self, d_model):
        super().__init__()
        self.q_proj, self.k_proj, self.v_proj, self.o_proj = (nn.Linear(d_model, d_model) for _ in range(4))


class Wide(nn.Module):
    def __init__(self, d_model):
        super().__init__()
        self.w_in, self.w_out = nn.Linear(d_model, d_model * 4), nn.Linear(d_model * 4, d_model)


class Part(nn.Module):
    def __init__(self, d_model):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(d_model), nn.LayerNorm(d_model)
        self.attn, self.ffn = Projections(d_model), Wide(d_model)


class Shelf:
    """A cache with room for max_len positions, written into."""

    def __init__(self):
        self.length, self.layers = 0, {}

    def put(self, i, k, v, room):
        if i not in self.layers:
            empty = k.new_zeros(k.size(0), k.size(1), room, k.size(3))
            self.layers[i] = empty, empty.clone()
        end = self.length + k.size(2)
        for old, new in zip(self.layers[i], (k, v)):
            old[:, :, self.length : end] = new
        return tuple(old[:, :, :end] for old in self.layers[i])


class WriterWithRoom(nn.Module):
    """Softmax by hand, a cache that is an object with memory set aside."""

    def __init__(self, vocab, d_model, n_heads, n_layers, max_len):
        super().__init__()
        if d_model % n_heads:
            raise ValueError("heads")
        self.H, self.room = n_heads, max_len
        self.tok, self.pos, self.norm = nn.Embedding(vocab, d_model), nn.Embedding(max_len, d_model), nn.LayerNorm(d_model)
        self.blocks = nn.ModuleList(Part(d_model) for _ in range(n_layers))
        self.register_buffer("later", torch.ones(max_len, max_len, dtype=torch.bool).triu(1), persistent=False)

    def new_cache(self):
        return Shelf()

    def forward(self, ids, cache=None):
        shelf = Shelf() if cache is None else cache
        (B, T), start = ids.shape, shelf.length
        x = self.tok(ids) + self.pos(torch.arange(start, start + T))
        for i, part in enumerate(self.blocks):
            h, a = part.norm1(x), part.attn
            q, k, v = (m(h).reshape(B, T, self.H, -1).permute(0, 2, 1, 3) for m in (a.q_proj, a.k_proj, a.v_proj))
            k, v = (k, v) if cache is None else shelf.put(i, k, v, self.room)
            scores = q @ k.transpose(-2, -1) * q.size(-1) ** -0.5
            scores = scores.masked_fill(self.later[start : start + T, : start + T], float("-inf"))
            x = x + a.o_proj((scores.softmax(-1) @ v).permute(0, 2, 1, 3).reshape(B, T, -1))
            x = x + part.ffn.w_out(F.gelu(part.ffn.w_in(part.norm2(x))))
        logits = self.norm(x) @ self.tok.weight.T
        if cache is None:
            return logits
        shelf.length += T
        return logits, shelf


class WriterReadsAgain(nn.Module):
    """A cache that keeps the ids and reads all of them again: right, and as slow as no cache."""

    def __init__(self, vocab, d_model, n_heads, n_layers, max_len):
        super().__init__()
        if d_model % n_heads > 0:
            raise ValueError(f"{d_model} over {n_heads}")
        self.H = n_heads
        self.tok, self.pos, self.norm = nn.Embedding(vocab, d_model), nn.Embedding(max_len, d_model), nn.LayerNorm(d_model)
        self.blocks = nn.Sequential(*(Part(d_model) for _ in range(n_layers)))

    def new_cache(self):
        return ()

    def forward(self, ids, cache=None):
        if cache is not None:
            all_ids = torch.cat([*cache, ids], dim=1)
            return self.read(all_ids)[:, -ids.shape[1] :], (all_ids,)
        return self.read(ids)

    def read(self, ids):
        x = self.tok(ids) + self.pos.weight.narrow(0, 0, ids.shape[1])
        for part in self.blocks:
            h = part.norm1(x)
            q, k, v = (torch.stack(m(h).chunk(self.H, -1), 1) for m in (part.attn.q_proj, part.attn.k_proj, part.attn.v_proj))
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + part.attn.o_proj(torch.cat(y.unbind(1), -1))
            h = part.ffn.w_in(part.norm2(x))
            x = x + part.ffn.w_out(h * 0.5 * (1 + torch.erf(h / 2**0.5)))
        return torch.einsum("btd,vd->btv", self.norm(x), self.tok.weight)


ANSWERS = {
    "projects.heads": [(first_by_select, mean_by_rows, max_by_rows, attention_by_rows),
                       (first_by_index, mean_by_weights, max_by_where, attention_by_hand)],
    "projects.sft": [(sft_by_ignore_index,), (sft_by_selection,), (sft_row_by_row,)],
    "projects.encoder_text_open": [(ReaderPostNorm,), (ReaderSmall,)],
    "projects.seq2seq_from_signatures": [(TranslatorPostNorm,), (TranslatorInOne,)],
    "projects.decoder_from_empty": [(WriterWithRoom,), (WriterReadsAgain,)],
}
