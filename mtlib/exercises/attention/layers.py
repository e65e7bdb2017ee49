"""Multi-head attention as the checks know it, and the layers that learners write by mistake."""

from torch import Tensor, nn

from . import reference as steps
from .heads import merge, split
from .reference import attend

PROJECTIONS = ("q_proj", "k_proj", "v_proj", "o_proj")


class Reference(nn.Module):
    """Multi-head attention in single steps, so that the named mistakes can change one of them."""

    attend, split, merge = staticmethod(attend), staticmethod(split), staticmethod(merge)

    def __init__(self, d_model: int, n_heads: int):
        super().__init__()
        if d_model % n_heads:
            raise ValueError(f"d_model={d_model} does not split into n_heads={n_heads} equal heads")
        self.n_heads = n_heads
        for name in PROJECTIONS:
            self.add_module(name, nn.Linear(d_model, d_model))

    def sources(self, x: Tensor, context: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """What q, k and v are made from."""
        context = x if context is None else context
        return x, context, context

    def heads(self, x: Tensor, context: Tensor | None, keep: Tensor | None) -> Tensor:
        """(B, T_q, D), the heads side by side, before o_proj."""
        projections = (self.q_proj, self.k_proj, self.v_proj)
        projected = [proj(source) for proj, source in zip(projections, self.sources(x, context), strict=True)]
        q, k, v = (self.split(p, self.n_heads) for p in projected)
        return self.merge(self.attend(q, k, v, keep)[0])

    def forward(self, x: Tensor, context: Tensor | None = None, keep: Tensor | None = None) -> Tensor:
        return self.o_proj(self.heads(x, context, keep))


def variant(**changed) -> type:
    """The reference with some of its parts changed."""
    return type("Variant", (Reference,), {name: staticmethod(part) for name, part in changed.items()})


def attending(**changed):
    return lambda q, k, v, keep=None: attend(q, k, v, keep, **changed)


class NoOutput(Reference):
    def forward(self, x, context=None, keep=None):
        return self.heads(x, context, keep)


class ContextIgnored(Reference):
    def sources(self, x, context):
        return x, x, x


class ContextAsks(Reference):
    def sources(self, x, context):
        return (x, x, x) if context is None else (context, x, x)


class RootOfModelWidth(Reference):
    def heads(self, x, context, keep):
        score = lambda q, k: steps.product(q, k) / x.shape[-1] ** 0.5  # noqa: E731
        q, k, v = (
            self.split(getattr(self, n)(s), self.n_heads)
            for n, s in zip(PROJECTIONS, self.sources(x, context), strict=False)
        )
        return merge(attend(q, k, v, keep, score=score)[0])


class Unrefusing(Reference):
    def __init__(self, d_model, n_heads):
        super().__init__(d_model, 1)
        self.n_heads = n_heads
