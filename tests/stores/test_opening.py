"""Addresses and how they are shown, stores that lie when they are probed, what is not installed."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from neotoma_core.errors import RemoteError, UsageError
from neotoma_core.stores.names import parse_address
from neotoma_core.stores.opening import IMPLEMENTATIONS, open_store, probe
from neotoma_core.stores.store import Content, Store, Told, untold
from neotoma_core.stores.wrapped import Wrapped

SCHEMES = tuple(IMPLEMENTATIONS)
SHOWN = {
    "s3://bucket": "s3://bucket",
    "s3://bucket/": "s3://bucket",
    "s3://bucket/a prefix/ü/": "s3://bucket/a prefix/ü",
    "S3://bucket/a%20b#c": "s3://bucket/a%20b#c",
    "gs://bucket/p": "gs://bucket/p",
    "az://container/p": "az://container/p",
    "file:///a%20folder/ü/": "file:///a%20folder/%C3%BC",
    "file://localhost/folder": "file:///folder",
    "sftp://host/folder": "sftp://host/folder",
    "sftp://me@host:22/a%20b": "sftp://me@host:22/a%20b",
    "sftp://me@[::1]:22/a": "sftp://me@[::1]:22/a",
    "sftp://host/~/a": "sftp://host/~/a",
}
REFUSED = {
    "": "begin it with one of",
    "/a/folder": "begin it with one of",
    "s4://bucket": "s4:// is not a kind of remote; there are",
    "sfpt://plain-secret@host/": "did you mean sftp?",
    "http://plain-secret@host/": "http:// is not a kind of remote",
    "s3://": "names no bucket",
    "s3:///prefix": "names no bucket",
    "s3://key:plain-secret@bucket/p": "has credentials or a port in it",
    "s3://bucket:80/p": "has credentials or a port in it",
    "s3://bucket/p?X-Amz-Signature=plain-secret": "has a query",
    "az://container?sig=plain-secret": "has a query",
    "s3://bucket/a/../b": "has empty parts, dots alone",
    "s3://bucket/a//b": "has empty parts, dots alone",
    "file://host/folder": "write file:///folder",
    "file://": "names no folder",
    "file:///": "names no folder",
    "file:///a%00b": "names no folder",
    "sftp://host": "names no folder",
    "sftp://me:plain-secret@host/folder": "has a password in it",
    "sftp:///folder": "no host",
    "sftp://host:99999/folder": "ports go from 1 to 65535",
}


@pytest.mark.parametrize("url", SHOWN)
def test_an_address_is_shown_so_that_it_can_be_used_again(url: str) -> None:
    address = parse_address(url, SCHEMES)
    assert address.shown == SHOWN[url]
    assert parse_address(address.shown, SCHEMES) == address


@pytest.mark.parametrize("url", REFUSED)
def test_what_is_not_an_address_is_refused_without_its_secrets(url: str) -> None:
    with pytest.raises(UsageError) as raised:
        open_store(url)
    assert REFUSED[url] in str(raised.value)
    assert "plain-secret" not in str(raised.value)


class Overwriting(Wrapped):
    """Overwrites, and says that it created."""

    @property
    def ways(self) -> tuple[Callable[[str, bytes], bool], ...]:
        return (self.create,)

    def create(self, name: str, content: Content, told: Told = untold) -> bool:
        self.store.delete(name)
        return self.store.create(name, content, told)


class Keeping(Overwriting):
    """Keeps the first, and says that it created each."""

    def create(self, name: str, content: Content, told: Told = untold) -> bool:
        self.store.create(name, content, told)
        return True


class Refusing(Overwriting):
    """Says that every name is taken."""

    def create(self, name: str, content: Content, told: Told = untold) -> bool:
        return not self.store.create(name, content, told)


class Garbling(Overwriting):
    """Stores something else."""

    def create(self, name: str, content: Content, told: Told = untold) -> bool:
        assert isinstance(content, bytes)
        return self.store.create(name, content[::-1], told)


LIARS: dict[type[Wrapped], str] = {
    Overwriting: "it overwrites an object that should only be created",
    Keeping: "it accepts two objects of one name as new",
    Refusing: "it says that a new name is taken",
    Garbling: "it does not return the bytes that it was given",
}


@pytest.mark.parametrize("kind", LIARS, ids=lambda kind: kind.__name__)
def test_a_store_that_lies_is_refused_with_the_reason(
    kind: type[Wrapped], store_in_memory: Store
) -> None:
    with pytest.raises(RemoteError, match=LIARS[kind]) as raised:
        probe(kind(store_in_memory))
    assert raised.value.exit_code == 30
    assert list(store_in_memory.list()) == []


@pytest.fixture
def store_in_memory(tmp_path: Path) -> Store:
    return open_store(f"memory://{tmp_path.name}")


@pytest.mark.parametrize(
    ("url", "library"),
    [
        ("s3://bucket", "botocore"),
        ("s3://bucket", "obstore"),
        ("az://container", "obstore"),
        ("gs://bucket", "obstore"),
        ("sftp://host/folder", "asyncssh"),
    ],
)
def test_a_library_that_is_not_installed_is_named(
    url: str, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == library]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Missing(library), *sys.meta_path])
    with pytest.raises(UsageError, match=r"pip install 'midden\[remotes\]'") as raised:
        open_store(url)
    assert library in str(raised.value)


class Missing:
    """Finds that a library is not there."""

    def __init__(self, library: str) -> None:
        self._library = library

    def find_spec(self, name: str, *_: object) -> None:
        if name.partition(".")[0] == self._library:
            raise ModuleNotFoundError(name=name)
