"""What the readers of configs share: activations by their other names, and a word for what has no counterpart."""

ACTIVATIONS = {
    "relu": "relu", "gelu": "gelu", "gelu_new": "gelu-tanh", "gelu_pytorch_tanh": "gelu-tanh",
    "silu": "silu", "swish": "silu", "tanh": "tanh", "sigmoid": "sigmoid",
}  # fmt: skip
GATED = {
    "relu": "reglu", "gelu": "geglu", "gelu_new": "geglu-tanh", "gelu_pytorch_tanh": "geglu-tanh",
    "silu": "swiglu", "swish": "swiglu",
}  # fmt: skip


def activation(name: str, table: dict[str, str] = ACTIVATIONS) -> str:
    """Our word for their activation; ValueError where we have none."""
    if name not in table:
        raise ValueError(f"activation {name!r} has no counterpart here; it must be one of: {', '.join(table)}")
    return table[name]


def only(config: object, **settings: object) -> None:
    """Each setting has the one value that our models can stand for, or is None or absent, which means the same."""
    for name, wanted in settings.items():
        value = getattr(config, name, None)
        if value not in (wanted, None):
            raise ValueError(f"config has {name}={value!r}; only {wanted!r} has a counterpart here")
