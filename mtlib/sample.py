"""``mtlib sample MODEL``: a trained model writes, to the terminal, as it goes.

MODEL is the folder of a training run, or smollm2. A language model goes on with the prompt; a
translator answers it.
"""

import sys
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn

from .cores import use_fused
from .generation import Given, Rules, Window, spell, stream
from .generation.writer import positions

SMOLLM2 = "smollm2"
MAX_NEW = 200


class Scene(NamedTuple):
    """Who writes, after which ids, until when, and how to read it; `before` is shown first."""

    model: nn.Module
    ids: list[int]
    stop: tuple[int, ...]
    decode: Callable[[list[int]], str]
    before: str


def sample(arguments: Namespace) -> int:
    """mtlib sample: returns the exit status; what a user can mend is one line on stderr."""
    try:
        scene = _smollm2(arguments) if arguments.model == SMOLLM2 else _of_run(arguments)
        model = use_fused(scene.model)  # nobody looks inside here
        model = model if arguments.window is None else Window(model, arguments.window)
        tokens = stream(
            model, scene.ids, max_new=_max_new(arguments.max_new, model, len(scene.ids)), rules=_rules(arguments),
            stop=scene.stop, generator=torch.Generator().manual_seed(arguments.seed),
        )  # fmt: skip
        print(scene.before, end="", flush=True)
        for piece in spell((token for token in tokens if token not in scene.stop), scene.decode):
            print(piece, end="", flush=True)
        print()
    except KeyboardInterrupt:
        print()
        return 130
    except (ValueError, TypeError) as error:
        print(f"mtlib: {error}", file=sys.stderr)
        return 1
    return 0


def _rules(arguments: Namespace) -> Rules:
    return Rules(**{name: getattr(arguments, name) for name in ("temperature", "top_k", "top_p", "min_p", "repetition")})


def _max_new(asked: int | None, model: nn.Module, prompt: int) -> int:
    rows = positions(model)
    return asked if asked is not None else MAX_NEW if rows is None else max(1, min(MAX_NEW, rows - prompt + 1))


def _smollm2(arguments: Namespace) -> Scene:
    from . import pretrained  # loads the tokenizers library, and needs 540 MB

    model, tokenizer = pretrained.smollm2()
    text = arguments.prompt
    if arguments.chat:
        text = f"<|im_start|>user\n{text}<|im_end|>\n<|im_start|>assistant\n"
    ends = map(tokenizer.token_to_id, ("<|im_end|>", "<|endoftext|>"))
    stop = tuple(end for end in ends if end is not None)
    return Scene(model, _begun(tokenizer.encode(text).ids), stop, tokenizer.decode, "" if arguments.chat else text)


def _of_run(arguments: Namespace) -> Scene:
    from .data import BOS, EOS, PAD
    from .data.vocabulary import Bytes
    from .masks import padding_keep
    from .training.command import load

    if arguments.chat:
        raise ValueError(f"--chat is for {SMOLLM2}, which was trained to answer")
    model, data = load(Path(arguments.model))
    tokenizer = getattr(data, "tokenizer", None)
    if tokenizer is None or not hasattr(model, "new_cache"):
        raise ValueError(f"{arguments.model} holds a {type(model).__name__}, which does not write")
    ids = _begun(tokenizer.encode(arguments.prompt))
    if hasattr(model, "encoder"):
        source = torch.tensor([ids])
        return Scene(Given(model, source, padding_keep(source, PAD)), [BOS], (EOS,), tokenizer.decode, "")
    stop = () if isinstance(tokenizer, Bytes) else (EOS,)  # where every id is a byte, none means the end
    return Scene(model, ids, stop, tokenizer.decode, arguments.prompt)


def _begun(ids: list[int]) -> list[int]:
    if not ids:
        raise ValueError("there is nothing to go on with: say it with --prompt TEXT")
    return ids
