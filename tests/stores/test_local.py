"""A folder: what is in the way, what is not there, full disks, disks without hard links."""

import errno
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from neotoma_core.errors import DiskFull, RemoteDenied, RemoteError
from neotoma_core.stores.names import TEMPORARY
from neotoma_core.stores.opening import open_store, probe
from neotoma_core.stores.store import Content, Store
from tests.support.storing import WRITERS, race


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "disk"
    path.mkdir()
    return path


@pytest.fixture
def store(folder: Path) -> Store:
    return open_store(folder.as_uri())


def test_a_folder_that_is_not_there_is_a_disk_that_is_not_plugged_in(
    folder: Path, store: Store
) -> None:
    store.create("one", b"1")
    folder.rename(folder.with_name("unplugged"))
    for ask in (
        lambda: open_store(folder.as_uri()),
        lambda: store.create("two", b"2"),
        lambda: store.read("one"),
        lambda: list(store.list()),
        lambda: store.delete("one"),
        lambda: probe(store),
    ):
        with pytest.raises(RemoteError, match="no such folder; if it is on a disk, plug that in"):
            ask()
    assert not folder.exists()


def test_what_is_there_is_its_owners_alone(folder: Path, store: Store) -> None:
    before = os.umask(0)
    try:
        store.create("a/b/c", b"1")
    finally:
        os.umask(before)
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in folder.rglob("*")}
    assert modes == {"a": 0o700, "b": 0o700, "c": 0o600, TEMPORARY: 0o700}


def test_no_link_is_followed(folder: Path, store: Store, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    (folder / "link").symlink_to(outside)
    (folder / "file").symlink_to(outside / "secret")
    (folder / "dangling").symlink_to(outside / "gone")
    asked = {
        "link/secret": store.read,
        "file": store.read,
        "link/new": lambda name: store.create(name, b"1"),
        "dangling": lambda name: store.create(name, b"1"),
        "link/gone": store.delete,
    }
    for name, ask in asked.items():
        with pytest.raises(RemoteError, match="is in the way"):
            ask(name)
    assert list(store.list()) == []
    with pytest.raises(RemoteError, match="is in the way"):
        store.list("link")
    assert [path.name for path in outside.iterdir()] == ["secret"]


def test_what_is_not_a_plain_file_is_not_an_object(folder: Path, store: Store) -> None:
    os.mkfifo(folder / "pipe")
    (folder / "folder").mkdir()
    for name in ("pipe", "folder"):
        with pytest.raises(RemoteError, match="is in the way"):
            store.read(name)
        with pytest.raises(RemoteError, match="is in the way"):
            store.create(name, b"")
    with pytest.raises(RemoteError):
        store.delete("folder")
    assert list(store.list()) == []


@pytest.fixture
def without_links(monkeypatch: pytest.MonkeyPatch) -> None:
    def link(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", link)


@pytest.mark.usefixtures("without_links")
def test_a_disk_without_hard_links_has_one_winner_too(store: Store, folder: Path) -> None:
    probe(store)
    for number in range(20):
        contents: list[Content] = [os.urandom(100) for _ in range(WRITERS)]
        won = race(store, f"race/{number}", contents)
        assert won.count(True) == 1
        assert store.read(f"race/{number}") == contents[won.index(True)]
    assert [path.name for path in (folder / TEMPORARY).iterdir()] == ["lock"]


def test_what_a_killed_writer_left_goes_when_it_is_old(folder: Path, store: Store) -> None:
    store.create("one", b"1")
    old, new, other = (folder / TEMPORARY / name for name in ("1.tmp", "2.tmp", "lock"))
    for path in (old, new, other):
        path.write_bytes(b"half")
    for path in (old, other):
        os.utime(path, (1_000_000, 1_000_000))
    assert [one.name for one in store.list()] == ["one"]
    open_store(folder.as_uri()).create("two", b"2")
    assert {path.name for path in (folder / TEMPORARY).iterdir()} == {"2.tmp", "lock"}


def test_a_folder_that_may_not_be_written_to(
    folder: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(os, "mkdir", refuse)
    with pytest.raises(RemoteDenied, match="read-only file system; change its permissions"):
        store.create("a", b"")
    assert list(folder.iterdir()) == []


FULL = """
import resource, signal, sys
from neotoma_core.stores.opening import open_store
store = open_store(sys.argv[1])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
store.create("small", b"1")
try:
    store.create("a/large", b"x" * (3 << 20))
except BaseException as error:
    print(type(error).__name__, error.exit_code, error)
print([one.name for one in store.list()])
"""


def test_a_full_disk_is_named_and_leaves_no_half_object(folder: Path) -> None:
    words = (sys.executable, "-c", FULL, folder.as_uri())
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said, listed = done.stdout.splitlines()
    assert said.startswith(f"DiskFull 14 remote {folder}: the disk is full")
    assert listed == "['small']"
    assert list((folder / TEMPORARY).iterdir()) == []
    assert DiskFull.exit_code == 14


KILLED = """
import os, signal, sys
from neotoma_core.stores import local_files
from neotoma_core.stores.opening import open_store
store = open_store(sys.argv[1])
die = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
setattr(*{"write": (os, "fsync", die), "link": (os, "link", die)}[sys.argv[2]])
store.create("one", b"x" * 100_000)
"""


@pytest.mark.parametrize("step", ["write", "link"])
def test_a_writer_that_is_killed_leaves_no_half_object(
    step: str, folder: Path, store: Store
) -> None:
    done = subprocess.run((sys.executable, "-c", KILLED, folder.as_uri(), step), check=False)
    assert done.returncode == -signal.SIGKILL
    assert list(store.list()) == []
    assert store.create("one", b"1")


def test_it_is_synced_before_it_has_its_name(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.create("a/before", b"")
    calls: list[str] = []
    for name in ("fsync", "link", "unlink"):
        real = getattr(os, name)

        def note(*words: object, _real: object = real, _name: str = name, **more: object) -> None:
            calls.append(_name)
            _real(*words, **more)  # type: ignore[operator]

        monkeypatch.setattr(os, name, note)
    store.create("a/one", b"1")
    assert calls == ["fsync", "link", "unlink", "fsync"]
