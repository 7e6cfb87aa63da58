import os
import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from neotoma_core.comparison.holdings import Coder, read_holdings
from neotoma_core.salvage import examining
from neotoma_core.salvage.examining import Examined, examine
from tests.support.databases import make_database, observation
from tests.support.proven import observe


def examine_copy(path: Path, tmp_path: Path) -> Examined | None:
    folder = tmp_path / f"scratch-{len(list(tmp_path.iterdir()))}"
    return examine(path, path, folder, Coder())


def small(path: Path, rows: int = 3) -> Path:
    return make_database(path, {"observations": [observe(n) for n in range(rows)]})


def traces(folder: Path) -> list[tuple[str, int, int]]:
    return [(p.name, p.stat().st_size, p.stat().st_mtime_ns) for p in sorted(folder.iterdir())]


def test_a_database_at_rest_is_read_where_it_lies_without_a_trace(tmp_path: Path) -> None:
    path = small(tmp_path / "home" / "a.bak")
    before = traces(path.parent)
    found = examine_copy(path, tmp_path)
    assert found is not None
    assert (found.state, found.journal) == ("sound", "none")
    assert found.holdings is not None
    assert found.holdings.observations == 3
    assert traces(path.parent) == before


def test_rows_in_a_log_count_and_the_log_stays(tmp_path: Path) -> None:
    path = small(tmp_path / "home" / "neotoma.db")
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("DELETE FROM observations WHERE fields LIKE '%note 1%'")
        copies = tmp_path / "copied"
        copies.mkdir()
        for name in ("neotoma.db", "neotoma.db-wal"):
            (copies / name).write_bytes((path.parent / name).read_bytes())
    before = traces(copies)
    found = examine_copy(copies / "neotoma.db", tmp_path)
    assert found is not None
    assert found.holdings is not None
    assert (found.state, found.journal, found.holdings.observations) == ("sound", "wal", 2)
    assert traces(copies) == before


def test_a_file_that_changes_while_it_is_read_is_read_again_from_a_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = small(tmp_path / "home" / "a.db")
    read = read_holdings
    seen: list[Path] = []

    def changing(whole: Path, shown: Path, coder: Coder) -> object:
        holdings = read(whole, shown, coder)
        if not seen:
            os.utime(path, ns=(1, 1))
        seen.append(whole)
        return holdings

    monkeypatch.setattr(examining, "read_holdings", changing)
    found = examine_copy(path, tmp_path)
    assert found is not None
    assert found.state == "sound"
    assert seen[0] == path
    assert seen[1] != path


def test_what_is_no_copy_of_neotoma_is_passed_over(tmp_path: Path) -> None:
    other = tmp_path / "photos.db"
    with closing(sqlite3.connect(other, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE photos (id)")
    assert examine_copy(other, tmp_path) is None
    os.truncate(other, 5000)
    assert examine_copy(other, tmp_path) is None
    (tmp_path / "empty").touch()
    assert examine_copy(tmp_path / "empty", tmp_path) is None


def test_what_was_one_is_named_with_what_is_wrong(tmp_path: Path) -> None:
    empty = tmp_path / "neotoma.prod 3.db"
    empty.touch()
    noise = tmp_path / "neotoma.prod 4.db"
    noise.write_bytes(b"noise" * 100)
    truncated = small(tmp_path / "a.part", 300)
    os.truncate(truncated, 400_000)
    states = [examine_copy(path, tmp_path) for path in (empty, noise, truncated)]
    assert [found and found.state for found in states] == ["empty", "unreadable", "truncated"]
    assert states[2] is not None
    assert states[2].holdings is not None
    assert 0 < states[2].holdings.observations < 300


def test_salvaged_rows_that_nothing_proves_are_in_no_count(tmp_path: Path) -> None:
    rows = [observe(n) for n in range(300)] + [observation(f"id-{n}") for n in range(50)]
    path = make_database(tmp_path / "a.db", {"observations": rows})
    with path.open("r+b") as file:
        file.seek(75 * 4096)
        file.write(random.Random(5).randbytes(4096))  # noqa: S311 - the same noise every time
    found = examine_copy(path, tmp_path)
    assert found is not None
    assert found.salvaged is not None
    assert found.holdings is not None
    assert found.state == "damaged"
    assert found.holdings.observations <= 300
    assert 0 < found.holdings.unproven <= 50
