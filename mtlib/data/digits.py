"""Handwritten digits, 8 × 8 with 17 levels of grey: a picture as a row of 64 tokens, line by line.

Scikit-learn carries them (1,797 of the test half of Alpaydin and Kaynak's optical recognition
data, 1998). Their order in a row says little without a 2-D position: Parts(position="grid").
"""

from functools import lru_cache

import numpy as np
import torch

from .batch import Batch, Split, asked_for, held_out, rows_of
from .needs import needed


class Digits:
    """Ids 0 (white) to 16, 64 of them, and the digit as class; DataMissing, in one line, without scikit-learn.

    The held-out pictures are about one in ten, by a hash; none of them is in the training split.

    >>> batch = Digits().batch(0, 2); batch.inputs[0].shape, batch.targets.shape
    (torch.Size([2, 64]), torch.Size([2]))
    """

    vocab, max_len, n_classes = 17, 64, 10

    def __init__(self):
        pixels, classes = pictures()
        valid = np.array([held_out(picture.tobytes()) for picture in pixels])
        self.rows = {"train": np.flatnonzero(~valid), "valid": np.flatnonzero(valid)}
        self.held_out_rows = len(self.rows["valid"])
        self.pixels, self.classes = torch.from_numpy(pixels).long(), torch.from_numpy(classes).long()

    def batch(self, step: int, size: int, *, split: Split = "train", seed: int = 0) -> Batch:
        """See Data. There is no padding, so inputs are ids alone."""
        asked_for(step, size, split)
        rows = self.rows[split]
        chosen = torch.from_numpy(rows[rows_of(len(rows), step, size, split, seed)])
        return Batch((self.pixels[chosen],), self.classes[chosen])


@lru_cache(maxsize=1)
def pictures() -> tuple[np.ndarray, np.ndarray]:
    """All of them: (1797, 64) levels, (1797,) digits."""
    found = needed("sklearn.datasets", "scikit-learn", "the digits").load_digits()
    return found.data.astype(np.uint8), found.target.astype(np.uint8)
