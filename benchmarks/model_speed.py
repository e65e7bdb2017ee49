"""Whole language models of equal size against their peers, in one run: time and peak memory.

Each row is mtlib's figure over the peer's, so below 1.00 mtlib is faster or smaller. All models
are built at one size, run on the same ids, and timed in turn, so that a slow moment of the
machine meets all of them; the median over rounds is taken. Peak memory is what a process of its
own grows by, from the built model to the end of one forward and backward.

    python benchmarks/model_speed.py            # the table
"""

import argparse
import functools
import statistics
import subprocess
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import mtlib as mt

B, T, V, D, H, L = 4, 256, 2000, 256, 8, 4
ROUNDS = 12


class TorchNN(nn.Module):
    """torch.nn's own layers with a causal mask, and a table for tokens and positions around them."""

    def __init__(self) -> None:
        super().__init__()
        self.tok, self.pos = nn.Embedding(V, D), nn.Parameter(torch.randn(T, D))
        layer = nn.TransformerEncoderLayer(D, H, 4 * D, 0.0, "gelu", batch_first=True, norm_first=True)
        self.layers = nn.TransformerEncoder(layer, L, norm=nn.LayerNorm(D), enable_nested_tensor=False)
        self.register_buffer("mask", nn.Transformer.generate_square_subsequent_mask(T))

    def forward(self, ids: Tensor) -> Tensor:
        return F.linear(self.layers(self.tok(ids) + self.pos, self.mask, is_causal=True), self.tok.weight)


class Logits(nn.Module):
    """A transformers model, without the wrapping of its output."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def forward(self, ids: Tensor) -> Tensor:
        return self.model(ids, use_cache=False).logits


def gpt2() -> nn.Module:
    from transformers import GPT2Config, GPT2LMHeadModel

    return Logits(GPT2LMHeadModel(GPT2Config(
        vocab_size=V, n_positions=T, n_embd=D, n_layer=L, n_head=H, resid_pdrop=0, embd_pdrop=0, attn_pdrop=0)))


def llama() -> nn.Module:
    from transformers import LlamaConfig, LlamaForCausalLM

    return Logits(LlamaForCausalLM(LlamaConfig(
        vocab_size=V, hidden_size=D, num_hidden_layers=L, num_attention_heads=H, num_key_value_heads=H // 4,
        intermediate_size=3 * D, max_position_embeddings=T, tie_word_embeddings=True)))


def x_transformers() -> nn.Module:
    from x_transformers import Decoder, TransformerWrapper

    return TransformerWrapper(num_tokens=V, max_seq_len=T, tie_embedding=True, attn_layers=Decoder(
        dim=D, depth=L, heads=H, attn_dim_head=D // H, attn_flash=True, pre_norm=True))


def ours(parts: mt.Parts, swap, **sizes: int) -> nn.Module:
    return swap(mt.DecoderLM(mt.ModelConfig(vocab=V, max_len=T, d_model=D, n_heads=H, n_layers=L, parts=parts, **sizes)))


LLAMA = mt.Parts(norm="rms", ffn="swiglu", position="rotary-halves", bias=False)
OURS = {"GPT-2": functools.partial(ours, mt.GPT2), "GELU": functools.partial(ours, mt.Parts()),
        "Llama": functools.partial(ours, LLAMA, n_kv_heads=H // 4, d_ff=3 * D)}
PEERS = {"torch.nn": (TorchNN, "GELU"), "transformers GPT-2": (gpt2, "GPT-2"), "transformers Llama": (llama, "Llama"),
         "x-transformers": (x_transformers, "GELU")}
SWAPS = {"explicit": mt.use_explicit, "fused": mt.use_fused}


def step(model: nn.Module, ids: Tensor) -> None:
    F.cross_entropy(model(ids)[:, :-1].flatten(0, 1), ids[:, 1:].flatten()).backward()
    model.zero_grad(set_to_none=True)


def seconds(run) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def times(models: dict[str, nn.Module], ids: Tensor) -> dict[str, tuple[float, float]]:
    """Median seconds of a forward without gradients, and of a forward with backward, of each model."""
    forward, both = ({name: [] for name in models} for _ in range(2))
    for round_ in range(ROUNDS + 2):
        for name, model in models.items():
            with torch.no_grad():
                a = seconds(lambda: model(ids))
            b = seconds(lambda: step(model, ids))
            if round_ >= 2:  # the first rounds warm up
                forward[name].append(a)
                both[name].append(b)
    return {name: (statistics.median(forward[name]), statistics.median(both[name])) for name in models}


def build(name: str) -> nn.Module:
    torch.manual_seed(0)
    if name in PEERS:
        return PEERS[name][0]()
    core, which = name.split(" ", 1)
    return OURS[which](SWAPS[core])


def growth(name: str) -> int:
    """Bytes by which this process grows at its peak while `name` does one step."""
    model, ids = build(name), torch.randint(0, V, (B, T))
    Path("/proc/self/clear_refs").write_text("5")  # Linux: the high-water mark starts again from here
    before = resident("VmRSS")
    step(model, ids)
    return resident("VmHWM") - before


def resident(field: str) -> int:
    """Bytes in memory now (VmRSS) or at the highest (VmHWM), as Linux counts them."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) * 1024


def peak(name: str) -> int:
    done = subprocess.run([sys.executable, __file__, "--growth", name], capture_output=True, text=True, check=True)
    return int(done.stdout.split()[-1])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--growth", help="only print by how many bytes a step of this model grows the process")
    if name := parser.parse_args().growth:
        print(growth(name))
        return
    ids = torch.randint(0, V, (B, T))
    print(f"B={B} T={T} V={V} D={D} H={H} L={L}, {torch.get_num_threads()} threads; mtlib over peer, below 1 is better")
    print(f"{'peer':<20} {'its M params':>12} {'ours':>6} {'core':>9} {'forward':>8} {'and backward':>13} {'peak memory':>12}")
    for peer, (_, twin) in PEERS.items():
        names = [peer, *(f"{core} {twin}" for core in SWAPS)]
        models = {name: build(name) for name in names}
        sizes = [sum(p.numel() for p in m.parameters()) / 1e6 for m in models.values()]
        took, grew = times(models, ids), {name: peak(name) for name in names}
        for core, name in zip(SWAPS, names[1:]):
            print(f"{peer:<20} {sizes[0]:12.2f} {sizes[1]:6.2f} {core:>9} {took[name][0] / took[peer][0]:8.2f} "
                  f"{took[name][1] / took[peer][1]:13.2f} {grew[name] / grew[peer]:12.2f}")


if __name__ == "__main__":
    main()
