"""A second machine: who it is, who we are, and what its disk can do."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex

import asyncssh
import pytest

from neotoma_core.errors import RemoteDenied, RemoteError, RemoteUnreachable
from neotoma_core.stores.names import TEMPORARY
from neotoma_core.stores.opening import open_store, probe
from neotoma_core.stores.store import Content, Store
from tests.support.servers import free_ports
from tests.support.sshd import SshServer, make_key
from tests.support.storing import WRITERS, Place, race


@pytest.fixture
def folder(ssh: SshServer) -> Path:
    path = ssh.folder / token_hex(8)
    path.mkdir()
    return path


@pytest.fixture
def place(ssh: SshServer, folder: Path) -> Place:
    return Place(ssh.url(str(folder)))


@pytest.fixture
def store(place: Place) -> Iterator[Store]:
    with place.open() as opened:
        yield opened


@pytest.fixture
def home(ssh: SshServer, tmp_path: Path, credentials: pytest.MonkeyPatch) -> Path:
    """A home folder of our own, which begins as the one that works."""
    path = tmp_path / "home"
    shutil.copytree(ssh.home, path)
    credentials.setenv("HOME", str(path))
    return path / ".ssh"


def test_a_host_that_is_not_known_is_not_talked_to(home: Path, place: Place) -> None:
    (home / "known_hosts").unlink()
    refused = pytest.raises(RemoteError, match="its host key is not in")
    with place.open() as store, refused as raised:
        store.read("one")
    assert raised.value.exit_code == 30
    assert "connect once and compare the fingerprint" in str(raised.value)
    assert "ssh -p " in str(raised.value)


def test_a_host_with_another_key_is_not_talked_to(
    home: Path, ssh: SshServer, place: Place, tmp_path: Path
) -> None:
    make_key(tmp_path / "other")
    other = (tmp_path / "other.pub").read_text()
    (home / "known_hosts").write_text(f"[127.0.0.1]:{ssh.port} {other}")
    with place.open() as store, pytest.raises(RemoteError, match="or differs from it"):
        store.read("one")


UNKNOWN = {
    "none": "its host key is not in",
    "/dev/null": "its host key is not in",
    "/not/there": "a file that ~/.ssh/config names is not there",
}


@pytest.mark.parametrize("file", UNKNOWN)
def test_a_configuration_cannot_turn_that_off(file: str, home: Path, place: Place) -> None:
    (home / "known_hosts").unlink()
    (home / "config").write_text(f"UserKnownHostsFile {file}\nStrictHostKeyChecking no\n")
    with place.open() as store, pytest.raises(RemoteError, match=UNKNOWN[file]):
        store.read("one")


def test_a_key_it_does_not_accept_is_denied(home: Path, place: Place) -> None:
    for name in ("id_ed25519", "id_ed25519.pub"):
        (home / name).unlink()
    with place.open() as store:
        for _ in range(2):
            with pytest.raises(RemoteDenied, match="it accepts none of your keys") as raised:
                store.create("one", b"")
            assert raised.value.exit_code == 32
    make_key(home / "id_ed25519")
    with place.open() as store, pytest.raises(RemoteDenied):
        list(store.list())


def test_what_ssh_is_configured_for_is_used(home: Path, ssh: SshServer, folder: Path) -> None:
    (home / "id_ed25519").rename(home / "another name")
    (home / "id_ed25519.pub").unlink()
    (home / "config").write_text(
        f'Host nas\n  HostName 127.0.0.1\n  Port {ssh.port}\n  IdentityFile "{home}/another name"\n'
    )
    with Place(f"sftp://nas{folder}").open() as store:
        assert store.create("one", b"1")
        assert store.read("one") == b"1"


@contextmanager
def agent(socket: Path) -> Iterator[None]:
    with subprocess.Popen(("ssh-agent", "-D", "-a", socket), stdout=subprocess.DEVNULL) as process:
        while not socket.exists():
            assert process.poll() is None
        try:
            yield
        finally:
            process.terminate()


def test_a_key_with_a_passphrase_is_used_from_the_agent(
    home: Path, ssh: SshServer, place: Place, credentials: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with agent(tmp_path / "agent"):
        credentials.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
        subprocess.run(("ssh-add", "-q", ssh.key), check=True, stdin=subprocess.DEVNULL)
        (home / "id_ed25519").unlink()
        with place.open() as store:
            assert store.create("one", b"1")


def test_a_folder_that_is_not_there(ssh: SshServer, folder: Path) -> None:
    with Place(ssh.url(f"{folder}/gone")).open() as store:
        for ask in (
            lambda: store.create("one", b""),
            lambda: store.read("one"),
            lambda: list(store.list()),
            lambda: store.delete("one"),
            lambda: probe(store),
        ):
            with pytest.raises(RemoteError, match="there is no such folder") as raised:
                ask()
            assert raised.value.exit_code == 30
    assert list(folder.iterdir()) == []


def test_a_folder_of_the_home_there(ssh: SshServer) -> None:
    gone = pytest.raises(RemoteError, match="there is no such folder")
    with Place(ssh.url(f"/~/gone-{token_hex(8)}")).open() as store, gone:
        list(store.list())
    with Place(ssh.url("/~")).open() as store:
        assert list(store.list("gone")) == []


def test_what_is_there_is_its_owners_alone(folder: Path, store: Store) -> None:
    store.create("a/b/c", b"1")
    modes = {p.name: p.stat().st_mode & 0o777 for p in folder.rglob("*")}
    assert modes == {"a": 0o700, "b": 0o700, "c": 0o600, TEMPORARY: 0o700}
    assert list((folder / TEMPORARY).iterdir()) == []


def test_what_is_in_the_way_is_named(folder: Path, store: Store) -> None:
    (folder / "folder").mkdir()
    (folder / "link").symlink_to(folder / "gone")
    for name in ("folder", "link"):
        with pytest.raises(RemoteError, match="is in the way"):
            store.create(name, b"")
    assert list(store.list()) == []


def test_what_a_killed_writer_left_goes_when_it_is_old(
    folder: Path, store: Store, place: Place
) -> None:
    store.create("one", b"1")
    old, new = (folder / TEMPORARY / name for name in ("1.tmp", "2.tmp"))
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (1_000_000, 1_000_000))
    with place.open() as another:
        another.create("two", b"2")
    assert [path.name for path in (folder / TEMPORARY).iterdir()] == ["2.tmp"]
    assert [one.name for one in store.list()] == ["one", "two"]


def test_a_machine_without_hard_links_has_one_winner_too(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def link(*_: object) -> None:
        raise asyncssh.SFTPOpUnsupported("no hard links")

    monkeypatch.setattr(asyncssh.SFTPClient, "link", link)
    probe(store)
    for number in range(20):
        contents: list[Content] = [os.urandom(100) for _ in range(WRITERS)]
        won = race(store, f"race/{number}", contents)
        assert won.count(True) == 1
        assert store.read(f"race/{number}") == contents[won.index(True)]


def test_a_full_disk_there_is_named(
    folder: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.create("one", b"1")

    async def write(*_: object) -> int:
        raise asyncssh.SFTPFailure("Failure")

    class Full:
        bavail, frsize = 1, 4096

    async def statvfs(*_: object) -> Full:
        return Full()

    monkeypatch.setattr(asyncssh.SFTPClientFile, "write", write)
    with pytest.raises(RemoteError, match="it failed there"):
        store.create("two", b"2")
    monkeypatch.setattr(asyncssh.SFTPClient, "statvfs", statvfs)
    with pytest.raises(RemoteError, match="the disk of that machine is full; make room"):
        store.create("two", b"2")
    assert [one.name for one in store.list()] == ["one"]
    assert folder.exists()


def test_a_machine_that_is_not_there() -> None:
    (port,) = free_ports(1)
    addresses = {
        f"sftp://user@127.0.0.1:{port}/folder": "it does not answer",
        "sftp://user@not-there.invalid/folder": "its name cannot be found",
    }
    for address, wrong in addresses.items():
        refused = pytest.raises(RemoteUnreachable, match=wrong)
        with Place(address).open() as store, refused as raised:
            store.read("one")
        assert raised.value.exit_code == 31


def test_a_store_is_closed_twice_and_before_it_was_used(place: Place) -> None:
    store = open_store(place.url)
    store.close()
    store.close()
