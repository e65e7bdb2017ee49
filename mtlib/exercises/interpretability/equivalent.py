"""Mutants of the solutions that are right answers: for each exercise, the change and why it changes nothing.

The names are those of `mtlib.grading.mutants`. A test holds that each is still a mutant and still passes.
"""

EQUIVALENT = {
    "interpretability.entropy": {
        "attention_entropy: (0, 2) -> (2, 0)": "a mean over two axes, in whatever order",
    },
    "interpretability.induction": {
        "induction_score: (0, 2) -> (2, 0)": "a mean over two axes, in whatever order",
        "induction_score: t - period + 1 -> 1 + (t - period)": "a sum commutes",
        "induction_score: 1 -> 2 in -1": "weights is square in its last two axes",
    },
    "interpretability.ablate": {
        "ablate_head.silence: no heads = heads.clone()": "nobody else reads the heads on their way",
        "ablate_head.silence: heads.clone() -> heads": "nobody else reads the heads on their way",
    },
    "interpretability.direct_logit": {
        "direct_logit: centred / scale * gain -> gain * (centred / scale)": "a product commutes",
        "direct_logit: -1 -> 1": "parts has two axes, so the last is the one of number 1",
    },
    "interpretability.probe": {
        "ridge_probe: x.T @ x + strength * torch.eye(D, dtype=x.dtype) -> strength * torch.eye(D, dtype=x.dtype) + x.T @ x": (
            "a sum commutes"
        ),
        "ridge_probe: strength * torch.eye(D, dtype=x.dtype) -> torch.eye(D, dtype=x.dtype) * strength": "a product commutes",
    },
}
