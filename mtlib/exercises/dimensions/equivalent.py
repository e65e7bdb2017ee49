"""Mutants of the solutions that are right answers: for each exercise, the change and why it changes nothing.

The names are those of `mtlib.grading.mutants`. A test holds that each is still a mutant and still passes.
"""

EQUIVALENT = {
    "dimensions.parameters": {
        "count_parameters: vocab * D -> D * vocab": "a product commutes",
        "count_parameters: max_len * D -> D * max_len": "a product commutes",
        "count_parameters: n_layers * 4 * (D * D + bias * D) -> (D * D + bias * D) * (n_layers * 4)": "a product commutes",
        "count_parameters: n_layers * (2 * D * F + bias * (F + D)) -> (2 * D * F + bias * (F + D)) * n_layers": "a product commutes",
        "count_parameters: (2 * n_layers + 1) * 2 * D -> D * ((2 * n_layers + 1) * 2)": "a product commutes",
        "count_parameters: n_layers * 4 -> 4 * n_layers": "a product commutes",
        "count_parameters: D * D + bias * D -> bias * D + D * D": "a sum commutes",
        "count_parameters: 2 * D * F + bias * (F + D) -> bias * (F + D) + 2 * D * F": "a sum commutes",
        "count_parameters: (2 * n_layers + 1) * 2 -> 2 * (2 * n_layers + 1)": "a product commutes",
        "count_parameters: bias * D -> D * bias": "a product commutes",
        "count_parameters: 2 * D * F -> F * (2 * D)": "a product commutes",
        "count_parameters: bias * (F + D) -> (F + D) * bias": "a product commutes",
        "count_parameters: 2 * n_layers + 1 -> 1 + 2 * n_layers": "a sum commutes",
        "count_parameters: 2 * D -> D * 2": "a product commutes",
        "count_parameters: F + D -> D + F": "a sum commutes",
        "count_parameters: 2 * n_layers -> n_layers * 2": "a product commutes",
    },
    "dimensions.flops": {
        "forward_flops: 4 * T * d_model ** 2 -> d_model ** 2 * (4 * T)": "a product commutes",
        "forward_flops: 2 * T ** 2 * d_model -> d_model * (2 * T ** 2)": "a product commutes",
        "forward_flops: 2 * T * d_model * d_ff -> d_ff * (2 * T * d_model)": "a product commutes",
        "forward_flops: 2 * (n_layers * (projections + pairs + ffn) + T * d_model * vocab) -> (n_layers * (projections + pairs + ffn) + T * d_model * vocab) * 2": "a product commutes",
        "forward_flops: 4 * T -> T * 4": "a product commutes",
        "forward_flops: 2 * T ** 2 -> T ** 2 * 2": "a product commutes",
        "forward_flops: 2 * T * d_model -> d_model * (2 * T)": "a product commutes",
        "forward_flops: n_layers * (projections + pairs + ffn) + T * d_model * vocab -> T * d_model * vocab + n_layers * (projections + pairs + ffn)": "a sum commutes",
        "forward_flops: 2 * T -> T * 2": "a product commutes",
        "forward_flops: n_layers * (projections + pairs + ffn) -> (projections + pairs + ffn) * n_layers": "a product commutes",
        "forward_flops: T * d_model * vocab -> vocab * (T * d_model)": "a product commutes",
        "forward_flops: projections + pairs + ffn -> ffn + (projections + pairs)": "a sum commutes",
        "forward_flops: T * d_model -> d_model * T": "a product commutes",
        "forward_flops: projections + pairs -> pairs + projections": "a sum commutes",
    },
}
