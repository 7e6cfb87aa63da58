"""Whether a file names an id: in whatever way the file is written, and no other id."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest

from neotoma_core.ledger.traces import Traces
from neotoma_core.neotoma.json import stringify
from neotoma_core.pages.document import page
from neotoma_core.pages.elements import code
from tests.support.packing import PACKERS

IDS = ["ent_0123456789abcdef", "x1", "é2", 'a"b', "ent_naïve_0123456789"]


def database(path: Path, name: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (id TEXT)")
        connection.execute("INSERT INTO t VALUES (?)", (name,))
        connection.commit()


def log(path: Path, name: str) -> None:
    beside = path.with_name("of-the-log.db")
    with closing(sqlite3.connect(beside)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("CREATE TABLE t (id TEXT)")
        connection.execute("INSERT INTO t VALUES (?)", (name,))
        connection.commit()
        path.write_bytes(Path(f"{beside}-wal").read_bytes())


def journal(path: Path, name: str) -> None:
    beside = path.with_name("of-the-journal.db")
    database(beside, name)
    with closing(sqlite3.connect(beside, isolation_level=None)) as connection:
        connection.execute("PRAGMA cache_spill = 1")
        connection.execute("PRAGMA cache_size = 1")
        connection.execute("BEGIN")
        connection.execute("UPDATE t SET id = 'another'")
        connection.execute(
            "CREATE TABLE u AS WITH n(i) AS (VALUES (1) UNION ALL "
            "SELECT i + 1 FROM n WHERE i < 3000) SELECT i, hex(i) || i FROM n"
        )
        path.write_bytes(Path(f"{beside}-journal").read_bytes())


def document(path: Path, name: str) -> None:
    path.write_bytes(stringify({"ids": [name]}).encode())


def a_page(path: Path, name: str) -> None:
    path.write_bytes(page("A page", code(name)))


def table(path: Path, cells: pl.Series) -> None:
    pl.DataFrame({"n": list(range(len(cells))), "id": cells}).write_parquet(path)


WRITERS: dict[str, Callable[[Path, str], None]] = {
    "database": database,
    "log": log,
    "journal": journal,
    "document": document,
    "page": a_page,
    "table": lambda path, name: table(path, pl.Series([None, name])),
    "bytes in a table": lambda path, name: table(path, pl.Series([name.encode()])),
    "a list in a table": lambda path, name: table(path, pl.Series([["z", name]])),
    "a record in a table": lambda path, name: table(path, pl.Series([{"of": name}])),
    "literals in a table": lambda path, name: table(path, pl.Series([f"'{name}'"])),
    "Arrow": lambda path, name: pl.DataFrame({"id": [name]}).write_ipc(path),
}


@pytest.mark.parametrize("way", WRITERS)
@pytest.mark.parametrize("name", IDS)
def test_an_id_is_found_however_it_is_written(way: str, name: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    WRITERS[way](path, name)
    assert Traces([name]).are_in(path)


@pytest.mark.parametrize("way", WRITERS)
def test_another_id_is_not_found(way: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    WRITERS[way](path, "ent_of_another_one")
    assert not Traces(["ent_of_no_one_here", "\x05\x06"]).are_in(path)


def test_a_number_in_a_table_is_an_id_too(tmp_path: Path) -> None:
    table(tmp_path / "file", pl.Series([7, 12]))
    assert Traces(["12"]).are_in(tmp_path / "file")
    assert not Traces(["2"]).are_in(tmp_path / "file")


@pytest.mark.parametrize("packer", PACKERS)
def test_what_is_compressed_is_looked_into(packer: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(PACKERS[packer](b'{"id":"x1"}'))
    assert Traces(["x1"]).are_in(path)
    assert not Traces(["x2"]).are_in(path)
    path.write_bytes(path.read_bytes()[:-6])
    assert Traces(["x2"]).are_in(path)  # nobody can tell what the rest of it says


def test_what_cannot_be_read_counts_as_naming_it(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"PAR1 and nothing more")
    assert Traces(["x1"]).are_in(path)


def test_an_id_across_two_parts_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("neotoma_core.ledger.traces._CHUNK", 16)
    path = tmp_path / "file"
    for before in range(32):
        path.write_bytes(b"." * before + b"ent_0123456789abcdef" + b"." * 20)
        assert Traces(["ent_0123456789abcdef"]).are_in(path)
