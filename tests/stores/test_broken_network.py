"""Connections that break in the middle: done again, or a clear error; never half an object."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest

from neotoma_core.errors import RemoteUnreachable
from neotoma_core.stores.store import Store
from tests.support.cutting import Network, network
from tests.support.sshd import SshServer
from tests.support.storing import KINDS, Place

LARGE: Final = 20 << 20
FAR: Final = sorted(set(KINDS) - {"file", "memory"})


@pytest.fixture(params=FAR)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def direct(kind: str, request: pytest.FixtureRequest) -> Place:
    """The place, without a network that breaks."""
    request.getfixturevalue("credentials")
    return KINDS[kind](request)


@pytest.fixture
def between(direct: Place) -> Iterator[Network]:
    port = urlsplit(direct.options.endpoint or direct.url).port
    assert port is not None
    with network(port) as found:
        yield found


@pytest.fixture
def through(direct: Place, between: Network, request: pytest.FixtureRequest) -> Iterator[Store]:
    """The store behind it."""
    with behind(direct, between, request).open() as store:
        yield store


def behind(direct: Place, between: Network, request: pytest.FixtureRequest) -> Place:
    """Return a place as it is reached through a proxy."""
    if direct.options.endpoint:
        url = urlsplit(direct.options.endpoint)
        endpoint = f"http://127.0.0.1:{between.port}{url.path}"
        return direct.with_options(endpoint=endpoint)
    ssh: SshServer = request.getfixturevalue("ssh")
    known = ssh.known_hosts.read_text()
    line = f"[127.0.0.1]:{between.port} {known.splitlines()[0].partition(' ')[2]}\n"
    ssh.known_hosts.write_text(known + line)
    return replace(direct, url=direct.url.replace(f":{ssh.port}/", f":{between.port}/"))


CUTS: Final = [
    [("up", 0)],
    [("up", 1500)],
    [("down", 0)],
    [("down", 100)],
    [("up", 0), ("down", 0), ("up", 200)],
]


@pytest.mark.parametrize("cuts", CUTS, ids=str)
def test_an_object_is_created_whole_and_known_to_be_ours(
    cuts: list[tuple[str, int]], direct: Place, between: Network, through: Store
) -> None:
    content = os.urandom(3000)
    between.cuts = list(cuts)
    assert through.create("one", content)
    assert between.cut == len(cuts)
    assert not through.create("one", os.urandom(3000))
    with direct.open() as store:
        assert store.read("one") == content
        assert [one.name for one in store.list()] == ["one"]


@pytest.mark.parametrize("cuts", CUTS, ids=str)
def test_what_another_one_created_does_not_become_ours(
    cuts: list[tuple[str, int]], direct: Place, between: Network, through: Store
) -> None:
    with direct.open() as store:
        store.create("one", b"x" * 3000)
        between.cuts = list(cuts)
        assert not through.create("one", b"y" * 3000)
        assert store.read("one") == b"x" * 3000


@pytest.mark.parametrize("cut", [("up", 12 << 20), ("down", 800)], ids=str)
def test_a_large_object_is_created_whole(
    cut: tuple[str, int], direct: Place, between: Network, through: Store, tmp_path: Path
) -> None:
    content = os.urandom(1 << 20) * (LARGE >> 20)
    (tmp_path / "large").write_bytes(content)
    between.cuts = [cut] * 3
    assert through.create("large", tmp_path / "large")
    with direct.open() as store:
        assert store.read("large") == content


def test_a_download_goes_on(
    direct: Place, between: Network, through: Store, tmp_path: Path
) -> None:
    content = os.urandom(1 << 20) * (LARGE >> 20)
    with direct.open() as store:
        store.create("large", content)
    between.cuts = [("down", 0), *[("down", 5 << 20)] * 8]
    told: list[int] = []
    through.download("large", tmp_path / "got", told.append)
    assert (tmp_path / "got").read_bytes() == content
    assert sum(told) == LARGE
    assert between.cut >= 2


def test_reading_and_listing_are_done_again(
    direct: Place, between: Network, through: Store
) -> None:
    with direct.open() as store:
        store.create("a/1", b"1" * 100_000)
    asked: list[Callable[[], object]] = [
        lambda: through.read("a/1"),
        lambda: list(through.list()),
        lambda: through.delete("a/1"),
    ]
    expected = [b"1" * 100_000, 1, None]
    for ask, answer in zip(asked, expected, strict=True):
        between.break_all()
        between.cuts = [("down", 0), ("down", 50), ("down", 50_000)]
        got = ask()
        assert (len(got) if isinstance(got, list) else got) == answer
    assert list(through.list()) == []


def test_a_network_that_never_works_is_an_error_that_may_pass(
    between: Network, through: Store, tmp_path: Path
) -> None:
    between.cuts = [("down", 0)] * 1000
    asked: list[Callable[[], object]] = [
        lambda: through.read("a/1"),
        lambda: list(through.list()),
        lambda: through.create("a/1", b"1"),
        lambda: through.download("a/1", tmp_path / "got"),
    ]
    for ask in asked:
        with pytest.raises(RemoteUnreachable) as raised:
            ask()
        assert (raised.value.exit_code, raised.value.retryable) == (31, True)


def test_a_machine_that_does_not_listen_is_unreachable(
    direct: Place, between: Network, request: pytest.FixtureRequest
) -> None:
    place = behind(direct, between, request)
    between.close()
    with (
        place.open() as store,
        pytest.raises(RemoteUnreachable, match="check the network and run again"),
    ):
        store.read("one")
