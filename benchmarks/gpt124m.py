"""GPT-2 small trained on one GPU: tokens a second, and the share of the chip's peak that they are.

    python benchmarks/gpt124m.py               # 200 updates each, in under eight minutes
    python benchmarks/gpt124m.py --tiny        # the same on a CPU, to see that it runs

Contestants share data, batch, update, loss, optimiser (AdamW in one kernel), clipping, bfloat16
and torch.compile, all as mtlib.training does them; only the model differs: mtlib's DecoderLM, the
same with its residual stream in bfloat16 too, and transformers' GPT2LMHeadModel with torch's
fused attention. They take turns, so that a warm chip meets all of them. The vocabulary is 50,304,
GPT-2's 50,257 rounded up to what the chip likes.

Model FLOPs utilisation: the operations of the model's matrix products, forward and twice that
backward, over the time and the peak (Chowdhery et al. 2022, appendix B). `mfu` counts all T²
scores, as is usual; `mfu_causal` only the half that is used.
"""

import argparse
import gc
import json
import os
import statistics
import time
from pathlib import Path

import torch
from torch import Tensor, nn

import mtlib as mt
from mtlib import count
from mtlib.training import TrainConfig, Update
from mtlib.training.example import Rows

PEAKS = {"H100": 989e12, "H200": 989e12, "A100": 312e12}  # bfloat16, dense, by the maker
STEPS, ROUNDS, WARM = 200, 4, 5
GIB_A_ROW = 1.6  # of 1,024 tokens: the logits of 50,304 words and their gradient are most of it
START = time.monotonic()


class Words:
    """Tokens as frequent as words are: the n-th comes with a chance as 1/n. Batches are functions of their number."""

    def __init__(self, vocab: int, length: int):
        self.chances, self.length = 1 / torch.arange(1, vocab + 1), length

    def batch(self, step: int, size: int) -> Rows:
        generator = torch.Generator().manual_seed(step)
        ids = torch.multinomial(self.chances, size * (self.length + 1), replacement=True, generator=generator)
        ids = ids.view(size, -1)
        return Rows((ids[:, :-1],), ids[:, 1:])


class Logits(nn.Module):
    """A transformers model without the wrapping of its output."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def forward(self, ids: Tensor) -> Tensor:
        return self.model(ids, use_cache=False).logits


def theirs(config: mt.ModelConfig) -> nn.Module:
    from transformers import GPT2Config, GPT2LMHeadModel

    return Logits(GPT2LMHeadModel(GPT2Config(
        vocab_size=config.vocab, n_positions=config.max_len, n_embd=config.d_model, n_layer=config.n_layers,
        n_head=config.n_heads, resid_pdrop=0, embd_pdrop=0, attn_pdrop=0, attn_implementation="sdpa",
    )))  # fmt: skip


def ours(config: mt.ModelConfig) -> nn.Module:
    return mt.use_fused(mt.DecoderLM(config))


CONTESTANTS = {
    "mtlib": (ours, "bf16"),
    "mtlib, stream in bf16": (ours, "bf16-stream"),
    "transformers": (theirs, "bf16"),
}


class Runner:
    """A contestant with its own optimiser; `run(n)` makes n updates and notes the seconds of each."""

    def __init__(self, name: str, config: mt.ModelConfig, train: TrainConfig, device: str):
        build, precision = CONTESTANTS[name]
        torch.manual_seed(0)
        self.model = build(config).to(device).train()
        self.train = TrainConfig(**(vars(train) | {"precision": precision}))
        self.update, self.words = Update(self.model, self.train), Words(config.vocab, config.max_len)
        self.step, self.seconds, self.losses = 0, [], []

    def run(self, updates: int, *, timed: bool = True) -> None:
        batch = self.words.batch(self.step, self.train.batch)
        for _ in range(updates):
            began = time.perf_counter()
            values = self.update(min(self.step, self.train.steps - 1), batch)
            self.step += 1
            batch = self.words.batch(self.step, self.train.batch)  # while the GPU works, as in fit
            self.losses.append(values.tolist()[0])  # waits for it
            if timed:
                self.seconds.append(time.perf_counter() - began)


def start(name: str, config: mt.ModelConfig, train: TrainConfig, device: str) -> tuple[Runner, int]:
    """A contestant that has compiled and made its first updates, and the rows it takes at a time: halved until they fit."""
    while True:
        say(f"{name}: compiling for {train.batch // train.accumulate} rows at a time")
        began = time.perf_counter()
        try:
            runner = Runner(name, config, train, device)
            runner.run(WARM, timed=False)
            say(f"{name}: ready after {time.perf_counter() - began:.0f} s")
            return runner, train.batch // train.accumulate
        except torch.OutOfMemoryError:
            say(f"{name}: too many rows")
        runner = None  # only here has the traceback let go of it
        gc.collect()
        torch.cuda.empty_cache()
        train = TrainConfig(**(vars(train) | {"accumulate": 2 * train.accumulate}))


def row(name: str, runner: Runner, rows: int, config: mt.ModelConfig, peak: float | None) -> dict[str, object]:
    """What was measured so far: over the median update, which a hiccup does not move."""
    tokens, parts = runner.train.batch * config.max_len, count.flops(config, config.max_len)
    a_token = count.FORWARD_AND_BACKWARD * parts["total"] / config.max_len
    unused = count.FORWARD_AND_BACKWARD * (parts["scores"] + parts["weighted"]) / 2 / config.max_len
    rate = tokens / statistics.median(runner.seconds)
    return {
        "model": name, "updates": len(runner.seconds), "rows at a time": rows, "tokens an update": tokens,
        "tokens a second": round(rate), "milliseconds an update": round(1e3 * statistics.median(runner.seconds), 2),
        "mfu": None if peak is None else round(rate * a_token / peak, 4),
        "mfu_causal": None if peak is None else round(rate * (a_token - unused) / peak, 4),
        "first loss": round(runner.losses[0], 4), "last loss": round(statistics.mean(runner.losses[-10:]), 4),
    }  # fmt: skip


def say(line: str) -> None:
    print(f"[{time.monotonic() - START:5.0f} s] {line}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tiny", action="store_true", help="a model of nothing, on a CPU")
    parser.add_argument("--rows", type=int, help="rows at a time; by the memory unless given")
    parser.add_argument("--accumulate", type=int, default=2, help="pieces of an update")
    parser.add_argument("--minutes", type=float, default=7.0, help="no new round is begun after that")
    parser.add_argument("--only", nargs="*", default=list(CONTESTANTS), help="some of the contestants")
    parser.add_argument("--no-compile", action="store_true", help="to see what it gains")
    given = parser.parse_args()
    device = "cpu" if given.tiny else "cuda"
    sizes = dict(vocab=512, max_len=32, d_model=64, n_heads=2, n_layers=2) if given.tiny else dict(
        vocab=50304, max_len=1024, d_model=768, n_heads=12, n_layers=12)  # fmt: skip
    config = mt.ModelConfig(**sizes, parts=mt.GPT2)
    chip = "a CPU" if given.tiny else torch.cuda.get_device_name()
    peak = next((peak for name, peak in PEAKS.items() if name in chip), None)
    rows = given.rows or (2 if given.tiny else fitting(torch.cuda.get_device_properties(0).total_memory))
    pieces = {"batch": rows * given.accumulate, "accumulate": given.accumulate, "compile": not given.no_compile}
    train = TrainConfig(steps=STEPS, lr=6e-4, warmup=20, weight_decay=0.1, betas=(0.9, 0.95), **pieces)
    say(f"{count.parameters(config)['total']:,} parameters on {chip}, torch {torch.__version__}")
    runners = {}
    for name in given.only:
        try:
            runners[name] = start(name, config, train, device)
        except ImportError as error:
            say(f"{name} is left out: {error}")
    results: dict[str, dict[str, object]] = {}
    for turn in range(ROUNDS):
        if time.monotonic() - START > 60 * given.minutes:
            say(f"stopped before round {turn + 1}: {given.minutes} minutes are over")
            break
        for name, (runner, taken) in runners.items():
            runner.run((10 if given.tiny else STEPS) // ROUNDS)
            results[name] = row(name, runner, taken, config, peak)
            say(json.dumps(results[name]))
            keep({"chip": chip, "torch": torch.__version__, "peak": peak, "rows": list(results.values())})
    table(results)


def fitting(memory: int) -> int:
    """The largest power of two of rows that should fit beside three models and their optimisers."""
    return 1 << max(0, int((memory / 2**30 - 8) / GIB_A_ROW).bit_length() - 1)


def keep(result: dict[str, object]) -> None:
    if out := os.environ.get("OUT"):
        Path(out, "gpt124m.json").write_text(json.dumps(result, indent=1), "utf8")


def table(results: dict[str, dict[str, object]]) -> None:
    base = results.get("transformers", {}).get("tokens a second")
    for name, r in results.items():
        ratio = f"{r['tokens a second'] / base:.2f} × transformers" if base else ""
        mfu = f"{r['mfu']:.1%} MFU ({r['mfu_causal']:.1%} causal)" if r["mfu"] else ""
        print(f"{name:<24}{r['tokens a second']:>12,} tokens/s   {mfu}   {ratio}")


if __name__ == "__main__":
    main()
