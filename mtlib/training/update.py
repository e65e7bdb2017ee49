"""One update of a model: forward and backward in pieces, the gradients' norm cut, AdamW.

What is made small is the mean over all tokens asked in the whole batch. A piece of a batch, or a
process's share of it, may hold more of them than another; so each divides its sum by the number
in the whole, and the gradients add up to the same as in one go.
"""

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from ..position import Position
from .config import TrainConfig
from .crew import ALONE, Alone
from .losses import count_asked, cross_entropy, info_nce
from .optimiser import adamw

if TYPE_CHECKING:
    from ..data import Batch


class Update:
    """``update(step, batch)`` changes the model once; gives the batch's loss before it and the gradients' norm.

    They come as a tensor (2,) that on a GPU is still being computed: ask for its numbers late.
    Raises ValueError, in one line, for pairs of texts in pieces, whose wrong answers would be missing.
    """

    def __init__(self, model: nn.Module, train: TrainConfig, crew: Alone = ALONE):
        if train.batch % (train.accumulate * crew.size):
            pieces = f"accumulate={train.accumulate} pieces for each of {crew.size} processes"
            raise ValueError(f"batch={train.batch} rows do not split into {pieces}, all equal")
        self.train, self.crew = train, crew
        self.device = next(model.parameters()).device
        self.half = train.precision != "float32" and has_bf16(self.device)
        self._hooks = half_stream(model) if self.half and train.precision == "bf16-stream" else []
        self.wrapped = crew.wrap(model)
        self.optimiser = adamw(model, lr=train.lr, weight_decay=train.weight_decay, betas=train.betas)
        self.parameters = [p for p in model.parameters() if p.requires_grad]
        self.summed = torch.compile(self._summed) if train.compile else self._summed

    def __call__(self, step: int, batch: "Batch") -> Tensor:
        pieces, asked = self.pieces(batch)
        losses = []
        for i, (inputs, targets) in enumerate(pieces):
            with self.crew.exchange(self.wrapped, last=i == len(pieces) - 1):
                share = self.summed(inputs, targets) / asked
                # Processes exchange the mean of their gradients; ours are shares of one mean, and must be added.
                (share * self.crew.size).backward()
            losses.append(share.detach())
        norm = nn.utils.clip_grad_norm_(self.parameters, float("inf") if self.train.clip is None else self.train.clip)
        for group in self.optimiser.param_groups:
            group["lr"] = self.train.learning_rate(step)
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        return torch.stack([torch.stack(losses).sum(), norm.full_tensor() if hasattr(norm, "full_tensor") else norm])

    def close(self) -> None:
        """Take off what was hung on the model."""
        for hook in self._hooks:
            hook.remove()

    def pieces(self, batch: "Batch") -> tuple[list[tuple[list[Tensor], Tensor | None]], int]:
        """This process's rows in `accumulate` pieces on the device, and what the whole batch divides by."""
        n = self.train.accumulate
        if batch.targets is None:
            if n * self.crew.size > 1:
                raise ValueError("a contrastive batch must stay whole: take accumulate=1 and one process")
            return [([x.to(self.device) for x in batch.inputs], None)], 1
        inputs = [self._cut(x, n) for x in batch.inputs]
        pieces = [(list(piece), targets) for *piece, targets in zip(*inputs, self._cut(batch.targets, n))]
        return pieces, max(int(count_asked(batch.targets)), 1)

    def _cut(self, x: Tensor, n: int) -> tuple[Tensor, ...]:
        return self.crew.mine(x).to(self.device, non_blocking=True).chunk(n)

    def _summed(self, inputs: list[Tensor], targets: Tensor | None) -> Tensor:
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.half):
            outputs = self.wrapped(*inputs)
            if targets is None:
                return info_nce(*outputs)
            return cross_entropy(outputs, targets, smoothing=self.train.label_smoothing, asked=1)


def half_stream(model: nn.Module) -> list[RemovableHandle]:
    """Hooks by which what leaves the tables is bfloat16, and with it every sum down the residual stream.

    autocast alone multiplies in bfloat16 and adds the result to a stream in float32, which every
    norm then reads and writes at twice the width. Outside of autocast they do nothing.
    """

    def narrow(module: nn.Module, args: tuple[object, ...], out: Tensor) -> Tensor:
        return out.bfloat16() if torch.is_autocast_enabled(out.device.type) else out

    tables = [m for m in model.modules() if isinstance(m, (nn.Embedding, Position))]
    return [table.register_forward_hook(narrow) for table in tables]


def has_bf16(device: torch.device) -> bool:
    """Whether the hardware multiplies bfloat16 by itself; where it does not, to emulate it costs time and gains nothing."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and getattr(torch.cpu, "_is_avx512_bf16_supported", bool)()
