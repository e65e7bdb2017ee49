"""The package's dependencies point one way, and importing it stays light."""

import ast
import subprocess
import sys
from pathlib import Path

import mtlib

ROOT = Path(mtlib.__file__).parent
# From the bottom up: a module may import from its own row and from rows above it in this list.
LAYERS = [
    {"_check", "_reach", "trace", "cache", "plan"},
    {"config", "masks", "position"},
    {"cores", "rotary", "score_bias"},
    {"attention", "norm", "residual", "ffn"},
    {"letters", "table"},
    {"layout", "count"},
    {"dimensions", "params", "memory"},
    {"parts", "init"},
    {"encoder", "decoder", "heads"},
    {"transformer"},
    {"interp"},
    {"recurrent"},
    {"generation"},
    {"interop"},
    {"assets"},
    {"data", "_gguf"},
    {"shipped"},
    {"pretrained"},
    {"plot"},
    {"training"},
    {"experiments"},
    {"sample"},
    {"browser"},
    {"widgets"},
    {"grading", "exercises"},
    {"cli"},
    {"__main__", "__init__"},
]
RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}
HEAVY = {"matplotlib", "ipywidgets", "IPython", "hypothesis", "transformers", "safetensors", "tokenizers", "pandas"}


def unit(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imports_of(path: Path) -> set[str]:
    """The parts of mtlib that a file imports, at its top or inside a function."""
    package = ["mtlib", *path.relative_to(ROOT).parent.parts]
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*base, *([node.module] if node.module else [])])
            names = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        found |= {name.split(".")[1] for name in names if name.startswith("mtlib.")}
    return found


def test_every_part_of_the_package_has_its_place_in_the_order():
    assert {unit(path) for path in ROOT.rglob("*.py")} <= set(RANK)


def test_imports_point_one_way():
    wrong = {
        f"{path.relative_to(ROOT)} imports {other}"
        for path in ROOT.rglob("*.py")
        for other in imports_of(path)
        if other in RANK and RANK[other] > RANK[unit(path)]
    }
    assert not wrong


def test_the_direction_is_really_read():
    assert {"_check", "cache", "trace"} <= imports_of(ROOT / "attention.py")
    assert "assets" in imports_of(ROOT / "cli.py")


def test_importing_mtlib_brings_in_nothing_heavy():
    code = "import torch, sys; before = set(sys.modules); import mtlib; print(*(set(sys.modules) - before))"
    new = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "mtlib.attention" in new
    assert not {name.split(".")[0] for name in new} & HEAVY


def test_the_shape_annotations_are_enforced_in_these_tests():
    import jaxtyping
    import pytest
    import torch

    with pytest.raises(jaxtyping.TypeCheckError):
        mtlib.LayerNorm(4)(torch.zeros(3, dtype=torch.int64))
