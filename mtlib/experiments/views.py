"""The chapter's views of one sentence, as a script: ``python -m mtlib.experiments.views "the cat sat on the mat"``.

It prints, for each job that a head can have, the head that does it most, and writes pictures into a folder: a map of
all heads for every job, and every head of one layer.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from .. import interp, plot, pretrained

MODELS = {"minilm": pretrained.minilm, "smollm2": pretrained.smollm2}


def tokens(model: pretrained.Pretrained, text: str) -> list[str]:
    """As a reader would write them: without the sign that some tokenizers put for a space."""
    return [token.replace("Ġ", "") for token in model.tokens(text)]


def head_map(scores: Tensor, title: str = "", *, width: int = 420):
    """(L, H) numbers from 0 to 1 -> a figure with a column a layer and a row a head.

    >>> import torch; fig = head_map(torch.zeros(6, 12), "who does it?")
    >>> fig.axes[0].get_title()
    'who does it?'
    """
    if scores.dim() != 2:
        raise ValueError(f"scores has shape {tuple(scores.shape)}; it must be (L, H): a number for every head")
    L, H = scores.shape
    step = 1 if L <= 12 else 5
    side = max(min((width - 60) / L, 22), 15)
    fig, ax = plot.canvas(width, round(max(H * side, 90)) + 90, margins=(50, 10, 36, 54))
    layers = [str(layer) if layer % step == 0 else "" for layer in range(L)]
    plot.heatmap(ax, scores.T, [str(head) for head in range(H)], layers)
    ax.set(title=title, xlabel="layer", ylabel="head")
    return fig


def best(model: pretrained.Pretrained, text: str) -> dict[str, tuple[int, int, float]]:
    """For each job its head, as (layer, head, score); a job that the text gives no occasion for is left out."""
    found = {}
    for job, scores in interp.head_scores(model.model, model.ids(text)).items():
        if not scores.isnan().any():
            found[job] = (*divmod(int(scores.argmax()), scores.size(1)), scores.max().item())
    return found


def pictures(model: pretrained.Pretrained, text: str, layer: int) -> dict[str, object]:
    """Figures by name: a map for each job, and the heads of `layer`."""
    scores = interp.head_scores(model.model, model.ids(text))
    maps = {job: head_map(scores[job], job.replace("_", " ")) for job in best(model, text)}
    weights = interp.attention_weights(model.model, model.ids(text))
    return maps | {f"layer-{layer}": plot.heads(weights[layer, 0], tokens(model, text))}


def main(words: Sequence[str] | None = None) -> None:
    """The script, with the words of its command line."""
    parser = argparse.ArgumentParser(prog="python -m mtlib.experiments.views", description="Every head of a real model over one sentence.")
    parser.add_argument("text")
    parser.add_argument("--model", choices=MODELS, default="minilm")
    parser.add_argument("--layer", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("views"))
    asked = parser.parse_args(words)
    model = MODELS[asked.model]()
    for job, (layer, head, score) in best(model, asked.text).items():
        print(f"{job:16s} layer {layer:2d}, head {head:2d}: {score:.2f}")
    asked.out.mkdir(parents=True, exist_ok=True)
    for name, figure in pictures(model, asked.text, asked.layer).items():
        (asked.out / f"{name}.svg").write_text(plot.to_svg(figure, alt=f"{name} of {asked.text!r}"), "utf8")


if __name__ == "__main__":
    main()
