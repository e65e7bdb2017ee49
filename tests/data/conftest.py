"""What is tokenised here goes to a cache of its own."""

import pytest


@pytest.fixture(autouse=True, scope="module")
def own_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MTLIB_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
