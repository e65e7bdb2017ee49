"""Small decoders whose every number is drawn, biases too, and judges that look whether one is left as it was."""

from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor, nn

from mtlib.grading.draw import Draw
from mtlib.grading.judge import Wrong, agree, value_of
from mtlib.grading.kit import Kit, make
from mtlib.grading.subject import Subject

DECODER = "mtlib.DecoderLM"


def decoder(d: Draw, layers: int = 1) -> Kit:
    """A float64 decoder of `layers` layers; no weight of it is 0 or where training would begin."""
    heads, width = d.pick((2, 2), (3, 1), (2, 3))
    sizes = {"d_model": heads * width, "n_heads": heads, "n_layers": layers}
    options = {"vocab": 5, "max_len": 5, **sizes, "d_ff": 3}
    return Kit(DECODER, 0, options, _drawn(d.whole(0, 2**31 - 1), options))


def ids_for(d: Draw, model: Kit, batch: int | None = None, length: int | None = None) -> Tensor:
    """Texts that the model can read, (B, T)."""
    shape = batch or d.whole(1, 2), length or d.whole(1, model.options["max_len"])
    return d.integers(*shape, high=model.options["vocab"] - 1)


def layer_of(d: Draw, model: Kit) -> int:
    return d.whole(0, model.options["n_layers"] - 1)


def head_of(d: Draw, model: Kit) -> int:
    return d.whole(0, model.options["n_heads"] - 1)


def _drawn(seed: int, options: dict) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    numbers = {}
    for name, shape in _shapes(tuple(options.items())).items():
        x = torch.randn(shape, generator=generator, dtype=torch.float64)
        numbers[name] = x + x.sign() * 0.1
    return numbers


@cache
def _shapes(options: tuple) -> dict[str, tuple[int, ...]]:
    return {name: tuple(x.shape) for name, x in _built(options).state_dict().items()}


@cache
def _built(options: tuple) -> nn.Module:
    return make(Kit(DECODER, 0, dict(options)))


def ours(case: dict) -> tuple:
    """The values of a case, with a model of our own in the recipe's place: one for each size, its numbers put in."""
    model = _built(tuple(case["model"].options.items())).double()
    model.load_state_dict(case["model"].state)
    return tuple(model if type(value) is Kit else value for value in case.values())


def equals_and_leaves(reference: Callable, answer: int = 0) -> Callable:
    """A judge: the answer of that number is right, and the model is afterwards as it was.

    For a mistake's name it counts as well what became of the model: see `untouched`.
    """

    def judge(case: dict, *subjects: Subject) -> None:
        expected = reference(*ours(case))
        reply = subjects[answer].call(*case.values())
        agree(value_of(reply), expected, float(expected.abs().max()))
        untouched(case["model"], reply.after[0])

    return judge


def equals_in_logits(reference: Callable, answer: int = 0) -> Callable:
    """A judge: the answer of that number is right, whatever it leaves behind."""

    def judge(case: dict, *subjects: Subject) -> None:
        expected = reference(*ours(case))
        agree(value_of(subjects[answer].call(*case.values())), expected, float(expected.abs().max()))

    return judge


def untouched(model: Kit, after: dict) -> None:
    """Raises Wrong where a model came back with a hook, another weight or in another mode."""
    if after["hooks"]:
        raise Wrong("a hook is left on the model: every later run goes through it", after["hooks"], 0, "hooks on the model")
    if after["training"]:
        raise Wrong("the model is left in training mode", True, False, "model.training")
    for name, was in model.state.items():
        if not torch.equal(after["state"][name], was):
            raise Wrong(f"{name} is changed: the model is not what it was", after["state"][name], was, f"{name} after the call")


def with_inputs(model: nn.Module, ids: Tensor, changes: dict[nn.Module, Callable[[Tensor], Tensor]]) -> Tensor:
    """The model's logits when what enters these modules is changed first."""
    hooks = [
        module.register_forward_pre_hook(lambda _, args, change=change: (change(args[0]), *args[1:]))
        for module, change in changes.items()
    ]
    return _then_off(model, ids, hooks)


def with_outputs(model: nn.Module, ids: Tensor, changes: dict[nn.Module, Callable[[Tensor], Tensor]]) -> Tensor:
    """The model's logits when what these modules put out is changed."""
    hooks = [
        module.register_forward_hook(lambda _, args, out, change=change: change(out)) for module, change in changes.items()
    ]
    return _then_off(model, ids, hooks)


def _then_off(model: nn.Module, ids: Tensor, hooks: list) -> Tensor:
    try:
        return model(ids).detach()
    finally:
        for hook in hooks:
            hook.remove()
