"""Reading one after another: a step of an RNN and of an LSTM, the first attention, and how far it is from i to j."""

CHAPTER = "02_sequential_data"
ORDER = ("rnn_step", "lstm_step", "additive_attention", "path_length")
