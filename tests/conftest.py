"""Every test runs with mtlib's shape annotations enforced: a wrong shape fails where it arises."""

import os
import tempfile
from datetime import date
from pathlib import Path

from jaxtyping import install_import_hook

# Keep clear of the user's own progress; and the hook must stand before mtlib is first imported.
_HOME = tempfile.TemporaryDirectory(prefix="mtlib-test-")  # goes when the tests are done
os.environ["MTLIB_HOME"] = _HOME.name
os.environ.setdefault("MTLIB_TEST_DAY", str(date.today().toordinal()))  # of all workers, also past midnight
PACKAGE = Path(__file__).parents[1] / "mtlib"
# The grader is left out: it states no shapes, and it would watch the learner's every call three times slower.
HOOKED = sorted({path.stem for path in PACKAGE.iterdir()} - {"__init__", "__pycache__", "grading", "exercises"})
install_import_hook([f"mtlib.{name}" for name in HOOKED], "beartype.beartype")

import jaxtyping  # noqa: E402
import pytest  # noqa: E402
import torch  # noqa: E402

torch.set_num_threads(1)  # tiny models wait longer for a second thread than it saves them


@pytest.fixture(autouse=True)
def seeded():
    """The same random numbers for a test whichever tests ran before it."""
    torch.manual_seed(0)


@pytest.fixture
def shapes_unchecked():
    """As a user runs mtlib: without the hook's checks, so that mtlib's own messages are what is seen."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)
