"""Writing, in one run: tokens a second beside transformers' generate on the same weights, and what a longer text costs.

    python benchmarks/generation.py              # both tables
    python benchmarks/generation.py --draw FILE  # and the second as a drawing (svg, png or pdf)

Both write the same tokens, greedily and with a cache, and take turns; the median counts. The
second table has, for texts of T tokens, the milliseconds of what must be done for one more: a
pass over all of it, explicit and fused, or one step with a cache; and beside each what its
matrix products come to by mtlib.count, scaled to agree at the longest.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
import transformers
from torch import Tensor, nn

import mtlib as mt
from mtlib import count, interop, pretrained
from mtlib.generation.swift import swift

SMALL = mt.ModelConfig(vocab=65, max_len=512, d_model=128, n_heads=4, n_layers=4, parts=mt.GPT2)
COST = mt.ModelConfig(vocab=256, max_len=2048, d_model=128, n_heads=4, n_layers=2, parts=mt.LLAMA)
LENGTHS = (64, 128, 256, 512, 1024, 2048)


def gpt2(config: mt.ModelConfig) -> tuple[nn.Module, nn.Module]:
    """Ours and theirs, with the same weights."""
    torch.manual_seed(0)
    ours = mt.use_fused(mt.DecoderLM(config)).eval()
    theirs = transformers.GPT2LMHeadModel(transformers.GPT2Config(
        vocab_size=config.vocab, n_positions=config.max_len, n_embd=config.d_model, n_layer=config.n_layers,
        n_head=config.n_heads, bos_token_id=None, eos_token_id=None, pad_token_id=0)).eval()  # fmt: skip
    ours.load_state_dict(interop.from_gpt2(theirs.state_dict(), config))
    return ours, theirs


def smollm2() -> tuple[nn.Module, nn.Module]:
    """The same for SmolLM2, 135 M parameters, from the weights `mtlib fetch smollm2` brings."""
    ours = mt.use_fused(pretrained.smollm2().model)
    c = ours.config
    theirs = transformers.LlamaForCausalLM(transformers.LlamaConfig(
        vocab_size=c.vocab, hidden_size=c.d_model, intermediate_size=c.d_ff, num_hidden_layers=c.n_layers,
        num_attention_heads=c.n_heads, num_key_value_heads=c.n_kv_heads, max_position_embeddings=c.max_len,
        rms_norm_eps=c.norm_eps, rope_parameters={"rope_type": "default", "rope_theta": c.parts.rotary_base}, tie_word_embeddings=c.parts.tied,
        bos_token_id=None, eos_token_id=None, pad_token_id=0)).eval()  # fmt: skip
    theirs.load_state_dict(interop.to_llama(ours.state_dict(), c), strict=False)
    return ours, theirs


def speed(name: str, ours: nn.Module, theirs: nn.Module, new: int, rounds: int) -> str:
    ids = torch.arange(1, 9)[None]
    write: dict[str, Callable[[], list]] = {
        "mtlib": lambda: mt.generate(ours, ids, max_new=new)[0],
        "transformers": lambda: theirs.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=new, do_sample=False)[0, 8:].tolist(),
    }  # fmt: skip
    if write["mtlib"]() != write["transformers"]():  # this also warms both up
        raise SystemExit(f"{name}: the two write different texts")
    times: dict[str, list[float]] = {who: [] for who in write}
    for _ in range(rounds):
        for who, run in write.items():
            began = time.perf_counter()
            run()
            times[who].append(1e3 * (time.perf_counter() - began) / new)
    a, b = (statistics.median(times[who]) for who in write)
    return f"{name:8} {sum(p.numel() for p in ours.parameters()) / 1e6:7.1f} M   mtlib {a:7.2f} ms a token, transformers {b:7.2f}: {b / a:.2f} times as fast"


@torch.inference_mode()
def costs(rounds: int = 7) -> dict[str, dict[str, list[float]]]:
    """Milliseconds and matrix operations of one more token after T, for each T of LENGTHS."""
    torch.manual_seed(0)
    model = mt.DecoderLM(COST).eval()
    found: dict[str, dict[str, list[float]]] = {}
    for way, swap in (("explicit", mt.use_explicit), ("fused", mt.use_fused), ("cached", mt.use_fused)):
        swap(model)
        rows = found[way] = {"ms": [], "operations": []}
        for T in LENGTHS:
            ids = torch.randint(COST.vocab, (1, T))
            rows["ms"].append(1e3 * statistics.median(_seconds(model, ids, way == "cached") for _ in range(rounds)))
            new, past = (1, T - 1) if way == "cached" else (T, 0)
            rows["operations"].append(count.flops(COST, new, past=past)["total"])
    return found


def _seconds(model: nn.Module, ids: Tensor, cached: bool) -> float:
    """Of a pass over all of ids, or of the last of them alone."""
    if not cached:
        began = time.perf_counter()
        model(ids)
        return time.perf_counter() - began
    writer = swift(model)
    cache = writer.new_cache()
    writer(ids[:, :-1], cache)
    began = time.perf_counter()
    writer(ids[:, -1:], cache)
    return time.perf_counter() - began


def draw(found: dict[str, dict[str, list[float]]], path: str) -> None:
    from mtlib import plot

    fig, ax = plot.canvas(height=320)
    for (way, rows), color in zip(found.items(), (plot.BLUE, plot.ORANGE, plot.GREEN), strict=True):
        scale = rows["ms"][-1] / rows["operations"][-1]
        ax.loglog(LENGTHS, rows["ms"], "o-", ms=4, color=color, label=f"{way}, measured")
        ax.loglog(LENGTHS, [scale * n for n in rows["operations"]], "--", lw=1, color=color, label=f"{way}, by the formula")
    ax.set(xlabel="tokens before", ylabel="milliseconds for one more token")
    ax.legend(frameon=False, fontsize=8)
    fig.savefig(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--draw", metavar="FILE")
    parser.add_argument("--small", action="store_true", help="the 0.8 M model alone")
    given = parser.parse_args()
    print(speed("GPT-2", *gpt2(SMALL), new=200, rounds=7), flush=True)
    if given.small:
        return
    print(speed("SmolLM2", *smollm2(), new=24, rounds=3), flush=True)
    found = costs()
    print(f"\n{'T':>6}" + "".join(f"{way:>12}{'formula':>10}" for way in found) + "   (ms for one more token)")
    for i, T in enumerate(LENGTHS):
        cells = ((rows["ms"][i], rows["operations"][i] * rows["ms"][-1] / rows["operations"][-1]) for rows in found.values())
        print(f"{T:6}" + "".join(f"{ms:12.2f}{formula:10.2f}" for ms, formula in cells))
    if given.draw:
        draw(found, given.draw)


if __name__ == "__main__":
    main()
