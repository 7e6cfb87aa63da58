"""The stores under test: each kind of address with a server of its own, on loopback."""

from collections.abc import Iterator

import pytest

from neotoma_core.stores.store import Store
from tests.support.seaweed import S3Server, seaweed
from tests.support.storing import KINDS, Place, ask_no_metadata, use_keys


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Those of the owner of the tests' servers; nothing of whoever runs the tests."""
    ask_no_metadata(monkeypatch)
    use_keys(monkeypatch)
    return monkeypatch


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with seaweed(tmp_path_factory.mktemp("seaweed")) as server:
        yield server


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, credentials: pytest.MonkeyPatch) -> Place:
    """A new and empty place of every kind, one after the other."""
    assert credentials
    return KINDS[request.param](request)


@pytest.fixture
def store(place: Place) -> Iterator[Store]:
    with place.opened() as opened:
        yield opened
