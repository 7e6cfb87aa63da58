"""The stores under test: each kind of address with a server of its own, on loopback."""

from collections.abc import Iterator

import pytest

from neotoma_core.stores.store import Store
from tests.support.azurite import AzureServer, azurite
from tests.support.google import GoogleServer, google
from tests.support.overwriting import s3rver
from tests.support.seaweed import BUCKET, S3Server, seaweed
from tests.support.sshd import SshServer, sshd
from tests.support.storing import KINDS, Place, ask_no_metadata, in_bucket, use_keys


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


@pytest.fixture(scope="session")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureServer]:
    with azurite(tmp_path_factory.mktemp("azurite")) as server:
        yield server


@pytest.fixture(scope="session")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GoogleServer]:
    with google(tmp_path_factory.mktemp("google")) as server:
        yield server


@pytest.fixture
def gs(stand_in: GoogleServer, credentials: pytest.MonkeyPatch) -> GoogleServer:
    """It, and credentials that lead to it."""
    credentials.setenv("GOOGLE_SERVICE_ACCOUNT", str(stand_in.account))
    return stand_in


@pytest.fixture(scope="session")
def overwriting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with s3rver(tmp_path_factory.mktemp("s3rver")) as server:
        yield server


@pytest.fixture(scope="session")
def second_machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    with sshd(tmp_path_factory.mktemp("sshd")) as server:
        yield server


@pytest.fixture
def ssh(second_machine: SshServer, credentials: pytest.MonkeyPatch) -> SshServer:
    """It, and a home whose keys it accepts."""
    credentials.setenv("HOME", str(second_machine.home))
    return second_machine


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, credentials: pytest.MonkeyPatch) -> Place:
    """A new and empty place of every kind, one after the other."""
    assert credentials
    return KINDS[request.param](request)


@pytest.fixture
def store(place: Place) -> Iterator[Store]:
    with place.open() as opened:
        yield opened


@pytest.fixture
def s3_place(s3: S3Server) -> Place:
    return in_bucket(s3, BUCKET)
