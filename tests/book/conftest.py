"""The book's extension, as Sphinx finds it: `from mtbook import …`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "book" / "_ext"))
