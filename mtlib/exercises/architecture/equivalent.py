"""Mutants of the solutions that are right answers: for each exercise, the change and why it changes nothing.

The names are those of `mtlib.grading.mutants`. A test holds that each is still a mutant and still passes.
"""

EQUIVALENT = {
    "architecture.ablation": {
        "compare_runs: 2 * se -> se * 2": "a product commutes",
        "compare_runs: mean > 0 -> mean >= 0": "a mean of 0 is undecided one line earlier",
        "compare_runs: x - mean -> mean - x": "it is squared",
    },
    "architecture.scaling_fit": {
        "fit_power_law: torch.tensor(n, dtype=torch.float64) -> torch.tensor(n)": "a size rounded in its eighth digit moves no curve",
        "fit_power_law: torch.linspace(0.1, 1, 91, dtype=torch.float64) -> torch.linspace(0.1, 1, 91)": (
            "nor does an alpha rounded in its eighth digit"
        ),
        "fit_power_law: 1 -> 2 in torch.linspace(0.1, 1, 91, dtype=torch.float64)": "steps of 0.02 are fine enough",
        "fit_power_law: 91 -> 92 in torch.linspace(0.1, 1, 91, dtype=torch.float64)": "one step more or less is the same search",
        "fit_power_law: 91 -> 90 in torch.linspace(0.1, 1, 91, dtype=torch.float64)": "one step more or less is the same search",
        "fit_power_law: (columns @ both - 1).square().sum().item() -> (columns @ both - 1).square().sum()": (
            "0-d tensors compare as their numbers do"
        ),
        "fit_power_law: error < least -> error <= least": "of two alphas that fit equally well, either will do",
        "fit_power_law: columns @ both - 1 -> 1 - columns @ both": "it is squared",
        "fit_power_law: 1 -> 2 in columns @ both - 1": (
            "the residual is at right angles to the fit, so this sum is three times the right one, plus 12: "
            "the same alpha has the least"
        ),
    },
    "architecture.retrieval": {
        "lookup: 0 -> -1 in torch.softmax(scores / t, 0)": "scores has one axis, the first and the last",
    },
}
