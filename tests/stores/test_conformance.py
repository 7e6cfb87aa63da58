"""What every store does, whatever it is made of."""

import hashlib
import os
from datetime import UTC
from pathlib import Path

import pytest

from neotoma_core.errors import ObjectMissing, RemoteError
from neotoma_core.stores.many import do_at_once
from neotoma_core.stores.opening import IMPLEMENTATIONS, probe, time_of
from neotoma_core.stores.store import Content, Store
from tests.support.storing import KINDS, WRITERS, Place, race

ODD = [
    "a b",
    "ü/é",
    "100%",
    "%20",
    "a#b",
    "q?x=1&y=2",
    "+p",
    "~t",
    "[x]{y}",
    "quote'\"",
    "emoji😀",
    "a:b*c",
    ".hidden",
    "a!b(c)",
    "a|b<c>^`",
    "e\u0301 and é",
    "-dash",
    "x" * 200,
]
LONG = "x" * 256
NEVER = ["", "/", "a/", "/a", "a//b", ".", "a/../b", "..", "a\\b", "a\nb", "a\0b", "\udc80", LONG]
LARGE = 40 << 20


def test_every_implementation_is_tested() -> None:
    assert set(KINDS) == set(IMPLEMENTATIONS)


def test_an_object_is_created_once_and_never_changed(store: Store) -> None:
    assert store.create("log/w/1", b"first")
    assert not store.create("log/w/1", b"second")
    assert store.read("log/w/1") == b"first"


def test_its_clock_is_not_behind_what_it_made(store: Store) -> None:
    store.create("first", b"1")
    (first,) = store.list()
    assert time_of(store) >= first.modified
    assert [one.name for one in store.list()] == ["first"]  # asking leaves nothing


def test_an_object_may_be_empty(store: Store, tmp_path: Path) -> None:
    assert store.create("nothing", b"")
    assert not store.create("nothing", b"something")
    assert store.read("nothing") == b""
    store.download("nothing", tmp_path / "got")
    assert (tmp_path / "got").read_bytes() == b""


def test_an_object_comes_from_a_file(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"x" * 3_000_000)
    told: list[int] = []
    assert store.create("from a file", file, told.append)
    assert sum(told) == 3_000_000
    assert not store.create("from a file", b"other")
    assert store.read("from a file") == file.read_bytes()


def test_a_piece_of_an_object_is_read_alone(store: Store, tmp_path: Path) -> None:
    large = os.urandom(LARGE // 4)
    (tmp_path / "large").write_bytes(large)
    store.create("large", tmp_path / "large")
    assert store.read_piece("large", 0, 3) == large[:3]
    assert store.read_piece("large", 5_000_001, 70_000) == large[5_000_001:5_070_001]
    assert store.read_piece("large", len(large) - 9, 9) == large[-9:]
    assert store.read_piece("large", 1, 0) == b""
    with pytest.raises(RemoteError):
        store.read_piece("large", len(large) - 9, 10)
    with pytest.raises(RemoteError):
        store.read_piece("large", len(large), 1)
    with pytest.raises(ObjectMissing):
        store.read_piece("small", 0, 1)


def test_a_store_passes_its_probe_and_nothing_is_left(store: Store) -> None:
    probe(store)
    assert list(store.list()) == []


def test_what_is_not_there_is_missing(store: Store, tmp_path: Path) -> None:
    store.create("here/1", b"")
    for name in ("gone", "here/2", "here/1x", "gone/1"):
        with pytest.raises(ObjectMissing, match=name) as raised:
            store.read(name)
        assert raised.value.exit_code == 34
        with pytest.raises(ObjectMissing, match=name):
            store.download(name, tmp_path / "got")
    assert list(store.list("gone")) == []


def test_what_is_listed_is_ordered_and_relative_and_below_a_folder(store: Store) -> None:
    names = ["a/b/2", "a/b/1", "a/bc/1", "a/b/10", "ab", "a/b-1/x", "a/b.1", "a/b 1", "midden.json"]
    for name in names:
        assert store.create(name, name.encode())
    assert [one.name for one in store.list()] == sorted(names)
    assert [one.name for one in store.list("a/b")] == ["a/b/1", "a/b/10", "a/b/2"]
    assert [one.name for one in store.list("a/b/")] == ["a/b/1", "a/b/10", "a/b/2"]
    for after in [*names, "a", "a/b/", "a/b/11", "zz"]:
        expected = sorted(name for name in names if name > after)
        assert [one.name for one in store.list(after=after)] == expected
    below = [name for name in sorted(names) if name.startswith("a/") and name > "a/b 1"]
    assert [one.name for one in store.list("a", "a/b 1")] == below


def test_what_is_listed_has_its_size_and_time(store: Store) -> None:
    store.create("one", b"12345")
    (one,) = store.list()
    assert (one.name, one.size) == ("one", 5)
    assert one.modified.utcoffset() == UTC.utcoffset(None)


@pytest.mark.parametrize("name", ODD)
def test_names_are_odd(name: str, store: Store) -> None:
    assert store.create(f"{name}/{name}", b"x")
    assert not store.create(f"{name}/{name}", b"y")
    assert store.read(f"{name}/{name}") == b"x"
    assert [one.name for one in store.list()] == [f"{name}/{name}"]
    assert [one.name for one in store.list(name)] == [f"{name}/{name}"]
    store.delete(f"{name}/{name}")
    assert list(store.list()) == []


@pytest.mark.parametrize("name", NEVER)
def test_a_name_never_leads_out_of_the_store(name: str, store: Store, tmp_path: Path) -> None:
    for action in (
        lambda: store.create(name, b"x"),
        lambda: store.read(name),
        lambda: store.delete(name),
        lambda: store.download(name, tmp_path / "got"),
    ):
        with pytest.raises(ValueError, match="not a name"):
            action()
    assert list(store.list()) == []


def test_what_is_removed_is_gone_and_may_be_created_again(store: Store) -> None:
    store.create("a/b", b"1")
    store.delete("a/b")
    store.delete("a/b")
    store.delete("never/there")
    assert list(store.list()) == []
    assert store.create("a/b", b"2")
    assert store.read("a/b") == b"2"


def test_eight_writers_at_once_have_one_winner(store: Store) -> None:
    for number in range(20):
        contents: list[Content] = [os.urandom(100) for _ in range(WRITERS)]
        won = race(store, f"race/{number}", contents)
        assert won.count(True) == 1
        assert store.read(f"race/{number}") == contents[won.index(True)]


def test_many_are_created_at_once(store: Store) -> None:
    store.create("raw/00007", b"there")
    items = [(f"raw/{number:05}", str(number).encode()) for number in range(300)]
    told: list[int] = []
    made = dict(do_at_once(lambda item: store.create(*item, told.append), items))
    assert [name for (name, _), new in made.items() if not new] == ["raw/00007"]
    assert len(made) == 300
    assert sum(told) >= sum(len(content) for _, content in items) - 1
    assert [one.name for one in store.list("raw")] == [name for name, _ in items]
    assert store.read("raw/00123") == b"123"


def test_a_half_download_goes_on_where_it_ended(store: Store, tmp_path: Path) -> None:
    content = os.urandom(5_000_000)
    store.create("big", content)
    got = tmp_path / "got"
    for had in (0, 1, 2_000_000, len(content)):
        got.write_bytes(content[:had])
        told: list[int] = []
        store.download("big", got, told.append)
        assert got.read_bytes() == content
        assert (sum(told), told[0]) == (len(content), had or told[0])
    got.unlink()
    store.download("big", got)
    assert got.read_bytes() == content
    assert got.stat().st_mode & 0o777 == 0o600


def test_what_is_there_of_a_download_is_kept_and_not_asked_for_again(
    store: Store, tmp_path: Path
) -> None:
    content = os.urandom(100_000)
    store.create("one", content)
    got = tmp_path / "got"
    got.write_bytes(b"#" * 60_000)
    store.download("one", got)
    assert got.read_bytes() == b"#" * 60_000 + content[60_000:]


def test_a_longer_file_than_the_object_is_not_one_that_was_begun(
    store: Store, tmp_path: Path
) -> None:
    store.create("one", b"12345")
    (tmp_path / "got").write_bytes(b"1234567")
    told: list[int] = []
    store.download("one", tmp_path / "got", told.append)
    assert (tmp_path / "got").read_bytes() == b"12345"
    assert sum(told) == 5


def test_a_large_object_is_created_once(store: Store, tmp_path: Path) -> None:
    file, got = tmp_path / "large", tmp_path / "got"
    file.write_bytes(os.urandom(1 << 20) * (LARGE >> 20))
    told: list[int] = []
    assert store.create("large", file, told.append)
    assert sum(told) == LARGE
    assert not store.create("large", file.read_bytes()[::-1])
    store.download("large", got)
    assert digest(got) == digest(file)
    assert [(one.name, one.size) for one in store.list()] == [("large", LARGE)]


def test_writers_of_many_bytes_have_one_winner(store: Store) -> None:
    for number in range(3):
        contents: list[Content] = [os.urandom(64) * (9 << 14) for _ in range(4)]
        won = race(store, f"large/{number}", contents)
        assert won.count(True) == 1
        assert store.read(f"large/{number}") == contents[won.index(True)]


def test_writers_of_large_files_leave_the_file_of_one_that_was_told_so(
    store: Store, tmp_path: Path
) -> None:
    files: list[Content] = [tmp_path / str(number) for number in range(4)]
    for file in files:
        assert isinstance(file, Path)
        file.write_bytes(os.urandom(64) * (9 << 14))
    won = [file for file, one in zip(files, race(store, "large", files), strict=True) if one]
    store.download("large", tmp_path / "got")
    assert digest(tmp_path / "got") in {digest(Path(str(file))) for file in won}


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def test_what_one_opening_created_another_one_reads(place: Place) -> None:
    with place.open() as store:
        store.create("one", b"1")
    with place.open() as store:
        assert store.read("one") == b"1"
        assert not store.create("one", b"2")
