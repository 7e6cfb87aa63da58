"""An archive on a real S3 server, in a place of its own for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.on_a_store import Archived
from tests.support.overwriting import s3rver
from tests.support.seaweed import BUCKET, S3Server, seaweed
from tests.support.storing import ask_no_metadata, in_bucket, use_keys


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Those of the owner of the tests' server; nothing of whoever runs the tests."""
    ask_no_metadata(monkeypatch)
    use_keys(monkeypatch)
    return monkeypatch


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with seaweed(tmp_path_factory.mktemp("seaweed")) as server:
        yield server


@pytest.fixture(scope="session")
def overwriting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with s3rver(tmp_path_factory.mktemp("s3rver")) as server:
        yield server


@pytest.fixture
def there(s3: S3Server, tmp_path: Path) -> Archived:
    """An address with nothing at it yet, and a database of two observations."""
    archived = Archived(in_bucket(s3, BUCKET), tmp_path)
    archived.make()
    return archived
