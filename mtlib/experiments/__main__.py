"""python -m mtlib.experiments [NAME…]: carry out the long runs and keep their results."""

import sys

import torch

from . import EXPERIMENTS, run

torch.set_num_threads(1)  # models this small wait longer for a second thread than it saves them
for name in sys.argv[1:] or EXPERIMENTS:
    print(f"{name}: {run(name)}")
