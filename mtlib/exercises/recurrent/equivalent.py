"""Mutants of the solutions that are right answers: for each exercise, the change and why it changes nothing.

The names are those of `mtlib.grading.mutants`. A test holds that each is still a mutant and still passes.
"""

EQUIVALENT = {
    "recurrent.rnn_step": {
        "rnn_step: x @ w_x + h @ w_h + b -> b + (x @ w_x + h @ w_h)": "a sum commutes",
        "rnn_step: x @ w_x + h @ w_h -> h @ w_h + x @ w_x": "a sum commutes",
    },
    "recurrent.lstm_step": {
        "lstm_step: f.sigmoid() * c + i.sigmoid() * g.tanh() -> i.sigmoid() * g.tanh() + f.sigmoid() * c": "a sum commutes",
        "lstm_step: f.sigmoid() * c -> c * f.sigmoid()": "a product commutes",
        "lstm_step: i.sigmoid() * g.tanh() -> g.tanh() * i.sigmoid()": "a product commutes",
        "lstm_step: o.sigmoid() * c.tanh() -> c.tanh() * o.sigmoid()": "a product commutes",
        "lstm_step: x @ w_x + h @ w_h + b -> b + (x @ w_x + h @ w_h)": "a sum commutes",
        "lstm_step: x @ w_x + h @ w_h -> h @ w_h + x @ w_x": "a sum commutes",
        "lstm_step: -1 -> 1": "a matrix's last axis is axis 1",
    },
    "recurrent.additive_attention": {
        "additive_attention: (query @ w_q)[:, None] + keys @ w_k -> keys @ w_k + (query @ w_q)[:, None]": "a sum commutes",
        "additive_attention: -1 -> 1": "a matrix's last axis is axis 1",
        "additive_attention: 0 -> -1 in (:, 0)": "of one query, the first is the last",
    },
    "recurrent.path_length": {
        "path_length: j - i + 1 -> 1 + (j - i)": "a sum commutes",
        "path_length: i - j -> j - i": "the distance is the same from either end",
    },
}
