"""One Prefect server for all flow tests: starting it takes longer than any of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.settings import get_current_settings
from prefect.testing.utilities import prefect_test_harness

SECONDS_TO_START = 600  # on two cores that others use too


@pytest.fixture(scope="session", autouse=True)
def prefect_server() -> Iterator[None]:
    """Start a server of this session's own."""
    with prefect_test_harness(server_startup_timeout=SECONDS_TO_START):
        yield


@pytest.fixture
def client() -> Iterator[SyncPrefectClient]:
    """Connect to that server."""
    with get_client(sync_client=True) as opened:
        yield opened


@pytest.fixture
def prefect_home() -> Path:
    """Return the folder where Prefect keeps what it stores."""
    return get_current_settings().home
