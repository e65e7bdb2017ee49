"""Each grading test has a progress folder of its own."""

import pytest

from mtlib.grading import search


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("MTLIB_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def unhurried(monkeypatch):
    """What a check finds within its time depends on how busy the machine is; with time to spare it does not."""
    monkeypatch.setattr(search, "SEARCH_SECONDS", 60.0)
    monkeypatch.setattr(search, "SHRINK_SECONDS", 60.0)
