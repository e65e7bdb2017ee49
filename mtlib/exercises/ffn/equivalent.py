"""Mutants of the solutions that are right answers: for each exercise, the change and why it changes nothing.

The names are those of `mtlib.grading.mutants`. A test holds that each is still a mutant and still passes.
"""

EQUIVALENT = {
    "ffn.is_linear": {
        "is_linear: 1000 -> 1001 in torch.randn(2, 1000, d, dtype=torch.float64)": "a pair more",
        "is_linear: 1000 -> 999 in torch.randn(2, 1000, d, dtype=torch.float64)": "a pair less",
        "is_linear: (f(x + y) - f(x) - f(y)).abs() < 1e-06 -> (f(x + y) - f(x) - f(y)).abs() <= 1e-06": (
            "legal functions are within 1e-9 or off by 1e-3; none is at the border"
        ),
        "is_linear: f(x + y) - f(x) - f(y) -> f(y) - (f(x + y) - f(x))": "the same gap with its sign turned, under abs",
        "is_linear: x + y -> y + x": "a sum commutes",
    },
    "ffn.gelu": {
        "gelu: 0.5 * x * (1 + torch.erf(x / math.sqrt(2))) -> (1 + torch.erf(x / math.sqrt(2))) * (0.5 * x)": "a product commutes",
        "gelu: 0.5 * x -> x * 0.5": "a product commutes",
        "gelu: 1 + torch.erf(x / math.sqrt(2)) -> torch.erf(x / math.sqrt(2)) + 1": "a sum commutes",
    },
    "ffn.feed_forward": {
        "feed_forward: hidden @ w_out + b_out -> b_out + hidden @ w_out": "a sum commutes",
        "feed_forward: x @ w_in + b_in -> b_in + x @ w_in": "a sum commutes",
    },
    "ffn.swiglu": {
        "swiglu: F.silu(gate) * (x @ w_up) -> x @ w_up * F.silu(gate)": "a product commutes",
    },
}
