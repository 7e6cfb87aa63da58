"""What one damaged or hostile file gives: what came out of it, and what is wrong, named."""

import os
import struct
import zipfile
from pathlib import Path

import pytest

from neotoma_core.comparison.holdings import Coder
from neotoma_core.find.search import Found, SearchRequest, search
from neotoma_core.report.progress import Silent
from neotoma_core.salvage.examining import examine
from neotoma_core.unpacking import budgets
from neotoma_core.unpacking.budgets import Limits
from neotoma_core.unpacking.unpack import unpack
from neotoma_core.unpacking.walking import FoundFile
from tests.support.databases import make_database
from tests.support.packing import PACKERS, flip, sparse_tar, tar, zip_up
from tests.support.proven import observe, owner

ROWS = 300


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("whole") / "neotoma.db"
    rows = {"observations": [observe(n) for n in range(ROWS)], "entities": [owner()]}
    return make_database(path, rows).read_bytes()


def find_in(tmp_path: Path, name: str, content: bytes, limits: Limits | None = None) -> Found:
    home, scratch = tmp_path / "home", tmp_path / "scratch"
    home.mkdir()
    scratch.mkdir()
    (home / name).write_bytes(content)
    return search(SearchRequest((home,), limits=limits or Limits()), scratch, Silent())


def states_of(found: Found) -> list[tuple[str, int | None]]:
    """Return the state of every copy, and how many observations it gives."""
    held = [(c.examined.state, c.examined.holdings) for c in found.copies]
    return [(state, holdings.observations if holdings else None) for state, holdings in held]


def problems(found: Found) -> list[str]:
    return [problem for _, problem in found.archives]


@pytest.mark.parametrize("ending", PACKERS)
@pytest.mark.parametrize("kind", ["cut", "flipped", "check", "magic"])
def test_what_comes_out_of_a_damaged_compressed_database_is_salvaged(
    tmp_path: Path, database: bytes, ending: str, kind: str
) -> None:
    packed = PACKERS[ending](database)
    content = {
        "cut": packed[: len(packed) * 9 // 10],
        "flipped": flip(packed, len(packed) * 9 // 10),
        "check": flip(packed, -10 if ending == "xz" else -1 if ending == "zst" else -6),
        "magic": bytes(2) + packed[2:],
    }[kind]
    found = find_in(tmp_path, f"neotoma.db.{ending}", content)
    ((state, rows),) = states_of(found)
    assert state != "sound"
    assert len(problems(found)) == 1
    if kind in ("check", "magic") and ending != "xz":
        assert rows == ROWS
    if ending in ("gz", "xz"):  # the others' blocks are almost as large as this database
        assert rows


@pytest.mark.parametrize("ending", [*PACKERS, "lzma", "tgz"])
def test_an_archive_of_neotomas_that_no_longer_starts_as_one_is_named(
    tmp_path: Path, ending: str
) -> None:
    found = find_in(tmp_path, f"neotoma-backup.{ending}", b"\0" * 600)
    assert len(problems(found)) == 1


def test_a_damaged_archive_of_neotomas_that_no_longer_looks_like_one_is_named(
    tmp_path: Path, database: bytes
) -> None:
    packed = PACKERS["gz"](flip(tar({"a/neotoma.db": database}), 257))
    found = find_in(tmp_path, "neotoma.tar.gz", flip(packed, -6))
    assert problems(found) == ["a part of it is damaged"]


@pytest.mark.parametrize("ending", PACKERS)
def test_joined_files_are_one_and_what_follows_the_last_is_named(
    tmp_path: Path, database: bytes, ending: str
) -> None:
    pack = PACKERS[ending]
    content = pack(database[:50_000]) + pack(database[50_000:]) + b"junk" * 100
    found = find_in(tmp_path, f"neotoma.db.{ending}", content)
    assert states_of(found) == [("sound", ROWS)]
    assert problems(found) == ["it is followed by bytes that are not part of it"]


@pytest.mark.parametrize("ending", ["", *PACKERS])
def test_a_tar_cut_short_behind_a_database_gives_that_database(
    tmp_path: Path, database: bytes, ending: str
) -> None:
    rest = os.urandom(1_000_000)
    content = tar({"a/neotoma.db": database, "rest.bin": rest})
    packed = PACKERS[ending](content) if ending else content
    found = find_in(tmp_path, f"b.tar.{ending}", packed[:-100_000])
    assert states_of(found) == [("sound", ROWS)]
    assert problems(found) == ["it is cut short"]


def test_a_damaged_header_in_a_tar_costs_its_member_alone(tmp_path: Path, database: bytes) -> None:
    content = tar({"a/neotoma.db": database, "b.txt": b"b", "c/neotoma.db": database})
    found = find_in(tmp_path, "b.tar", flip(content, content.index(b"b.txt")))
    assert states_of(found) == [("sound", ROWS)] * 2
    assert problems(found) == ["a part of it is damaged"]


def test_of_two_members_with_one_name_neither_is_dropped(tmp_path: Path, database: bytes) -> None:
    content = tar({"neotoma.db": database, "neotoma.dB": database[:5_000]})
    found = find_in(tmp_path, "b.tar", content.replace(b"neotoma.dB", b"neotoma.db"))
    assert states_of(found)[0] == ("sound", ROWS) or len(problems(found)) == 1
    assert len(found.copies) + len(problems(found)) == 2


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, 8, 12, 14])
@pytest.mark.parametrize("cut", [False, True])
def test_a_zip_is_read_also_without_its_list_of_files(
    tmp_path: Path, database: bytes, method: int, *, cut: bool
) -> None:
    content = zip_up({"a/neotoma.db": database, "rest.bin": bytes(9)}, method)
    found = find_in(tmp_path, "b.zip", content[:-100] if cut else content)
    assert states_of(found) == [("sound", ROWS)]
    assert problems(found) == (["its list of files is damaged or missing"] if cut else [])


def test_a_damaged_file_of_a_zip_is_salvaged(tmp_path: Path, database: bytes) -> None:
    content = zip_up({"neotoma.db": database})
    found = find_in(tmp_path, "b.zip", flip(content, len(content) * 3 // 4))
    ((state, rows),) = states_of(found)
    assert (state, problems(found)) == ("damaged", ["a part of it is damaged"])
    assert rows


def test_a_zip_with_a_password_or_an_unknown_method_is_named(
    tmp_path: Path, database: bytes
) -> None:
    for place, said in ((6, "files in it need a password"), (8, "files in it are packed in a way")):
        content = bytearray(zip_up({"neotoma.db": database}))
        listed = content.rindex(b"PK\x01\x02")
        content[place] = content[listed + place + 2] = 1 if place == 6 else 99
        folder = tmp_path / str(place)
        folder.mkdir()
        (problem,) = problems(find_in(folder, "b.zip", bytes(content)))
        assert problem.startswith(said)


def test_holes_count_as_they_are_written(tmp_path: Path, database: bytes) -> None:
    whole = sparse_tar(
        "a/neotoma.db", len(database), {0: database[:8_192], 8_192: database[8_192:]}
    )
    folder = tmp_path / "whole"
    folder.mkdir()
    assert states_of(find_in(folder, "b.tar", whole)) == [("sound", ROWS)]
    bomb = PACKERS["gz"](sparse_tar("neotoma.db", 20 << 30, {}))
    found = find_in(tmp_path, "b.tgz", bomb, Limits(ratio_from=1 << 20))
    assert found.copies == ()
    assert problems(found) == [
        "not unpacked any further: it unpacks to more than 200 times its size"
    ]
    assert list((tmp_path / "scratch").rglob("*.db")) == []


def test_the_disk_keeps_a_reserve(
    tmp_path: Path, database: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budgets, "_RESERVED_PART", 1)
    monkeypatch.setattr(budgets, "_MOST_RESERVE", 1 << 62)
    packed = tmp_path / "neotoma.db.gz"
    packed.write_bytes(PACKERS["gz"](database))
    (tmp_path / "scratch").mkdir()
    found = FoundFile(packed, "gzip", packed.stat().st_size, 0)
    (taken,) = unpack(found, tmp_path / "scratch", Limits())
    assert taken.problem == "not unpacked any further: it does not fit on this disk unpacked"


def test_unpacking_ends_in_time(tmp_path: Path, database: bytes) -> None:
    found = find_in(tmp_path, "b.tar", tar({"neotoma.db": database}), Limits(seconds=-1))
    assert problems(found) == ["not unpacked any further: it takes more than -1 seconds"]


@pytest.mark.parametrize(
    ("at", "damage"),
    [
        (0, bytes(16)),
        (16, struct.pack(">H", 0)),
        (16, struct.pack(">H", 1_000)),
        (16, struct.pack(">H", 8_192)),
        (16, struct.pack(">H", 1)),
        (18, b"\x09\x09"),
        (44, struct.pack(">I", 9)),
        (56, struct.pack(">I", 2)),
        (100, b"\xff"),
    ],
)
def test_the_rows_behind_a_damaged_header_are_salvaged(
    tmp_path: Path, database: bytes, at: int, damage: bytes
) -> None:
    content = database[:at] + damage + database[at + len(damage) :]
    ((state, rows),) = states_of(find_in(tmp_path, "some copy", content))
    assert state != "sound"
    assert rows == ROWS


@pytest.mark.parametrize("behind", [3, 14, 30, 60])
@pytest.mark.parametrize("bits", [0xFF, 0x01])
def test_a_flipped_byte_in_a_statement_of_the_schema_costs_no_row_that_is_proven(
    tmp_path: Path, database: bytes, behind: int, bits: int
) -> None:
    content = bytearray(database)
    content[database.index(b'CREATE TABLE "observations"') + behind] ^= bits
    ((_, rows),) = states_of(find_in(tmp_path, "some copy", bytes(content)))
    assert rows == ROWS


def test_a_file_that_is_mostly_a_hole_gives_the_pages_it_says_it_has(
    tmp_path: Path, database: bytes
) -> None:
    home, scratch = tmp_path / "home", tmp_path / "scratch"
    home.mkdir()
    scratch.mkdir()
    with (home / "neotoma.db").open("wb") as file:
        file.write(database)
        file.truncate(1 << 40)
    found = search(SearchRequest((home,)), scratch, Silent())
    assert states_of(found) == [("damaged", ROWS)]


@pytest.mark.parametrize("log", ["-wal", "-journal"])
@pytest.mark.parametrize("kind", ["folder", "pipe", "hole"])
def test_a_log_that_can_be_none_is_named(
    tmp_path: Path, database: bytes, log: str, kind: str
) -> None:
    home, scratch = tmp_path / "home", tmp_path / "scratch"
    home.mkdir()
    scratch.mkdir()
    (home / "neotoma.db").write_bytes(database)
    place = home / f"neotoma.db{log}"
    if kind == "folder":
        place.mkdir()
    elif kind == "pipe":
        os.mkfifo(place)
    else:
        place.touch()
        os.truncate(place, 1 << 40)
    ((copy),) = search(SearchRequest((home,)), scratch, Silent()).copies
    wrong = "mostly a hole" if kind == "hole" else "not a regular file"
    assert copy.examined.problem == f"its neotoma.db{log} is {wrong}"


def test_whatever_a_library_does_with_a_copy_costs_that_copy(
    tmp_path: Path, database: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr("neotoma_core.salvage.examining.read_holdings", fail)
    (tmp_path / "neotoma.db").write_bytes(database)
    place = tmp_path / "neotoma.db"
    examined = examine(place, place, tmp_path / "scratch", Coder())
    assert examined is not None
    assert examined.problem == "it cannot be read: ZeroDivisionError"
