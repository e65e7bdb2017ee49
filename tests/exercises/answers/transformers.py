"""Right answers written otherwise than ours. Each must pass: a check that refuses one would teach falsely."""

import torch


def sees_by_comparing(shape, n_source, n_target):
    asks = torch.arange(n_source if shape == "encoder" else n_target)[:, None]
    answers = torch.arange(n_target if shape == "decoder" else n_source)
    if shape == "decoder":
        return answers <= asks
    if shape in {"encoder", "cross"}:
        return (asks >= 0) & (answers >= 0)
    raise ValueError(shape)


def sees_by_lists(shape, n_source, n_target):
    match shape:
        case "encoder":
            table = [[True] * n_source for _ in range(n_source)]
        case "decoder":
            table = [[column < row + 1 for column in range(n_target)] for row in range(n_target)]
        case "cross":
            table = [[True] * n_source for _ in range(n_target)]
        case _:
            raise ValueError("no such shape")
    return torch.tensor(table)


ANSWERS = {"transformers.sees": [(sees_by_comparing,), (sees_by_lists,)]}
