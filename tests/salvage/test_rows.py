import os
import random
import shutil
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from neotoma_core.salvage import rows as module
from neotoma_core.salvage.rows import salvage
from tests.support.databases import count, make_database, read_all
from tests.support.proven import observe, owner, store

PROGRAM = """#!/bin/sh
cat <<'END'
.dbconfig defensive off
BEGIN;
PRAGMA writable_schema = on;
CREATE TABLE observations(id TEXT PRIMARY KEY, entity_id TEXT, fields TEXT, n TEXT CHECK (n = 1));
CREATE TABLE entities(id TEXT PRIMARY KEY);
INSERT OR IGNORE INTO 'observations'('id', 'entity_id', 'fields', 'n')
VALUES ('a', 'e', unistr('one\\u000atwo;
\\\\'), 2);
INSERT INTO entities(id) VALUES (load_extension('/tmp/evil'));
INSERT INTO entities(id) SELECT hex(randomblob(9));
CREATE TRIGGER t AFTER INSERT ON entities BEGIN DELETE FROM observations; END;
CREATE VIEW v AS SELECT 1;
CREATE VIRTUAL TABLE f USING fts5(x);
ATTACH '{elsewhere}' AS elsewhere;
DELETE FROM observations;
UPDATE observations SET id = 'b';
INSERT INTO entities(id) VALUES ('e');
COMMIT;
END
"""


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    """A database of 400 observations with noise on some pages."""
    rows = {"observations": [observe(n) for n in range(400)], "entities": [owner()]}
    path = make_database(tmp_path / "a.db", {**rows, "sources": [store(n) for n in range(50)]})
    noise = random.Random(5)  # noqa: S311 - the same noise every time
    with path.open("r+b") as file:
        for page in range(70, 80):
            file.seek(page * 4096)
            file.write(noise.randbytes(4096))
    return path


def without_program(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("PATH", str(folder))


def test_rows_on_undamaged_pages_come_back_as_they_were(
    damaged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_program(monkeypatch, tmp_path / "nowhere")
    before = damaged.read_bytes()
    folder = tmp_path / "out"
    folder.mkdir()
    saved = salvage(damaged, folder)
    assert saved is not None
    assert saved.means == "page by page"
    assert "install" in saved.advice
    assert damaged.read_bytes() == before
    right = make_database(tmp_path / "right.db", {"observations": [observe(n) for n in range(400)]})
    rows = read_all(saved.database)["observations"]
    assert 100 < len(rows) < 400
    assert set(rows) <= set(read_all(right)["observations"])


def test_nothing_can_be_saved_of_noise(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    noise = tmp_path / "noise.db"
    noise.write_bytes(b"SQLite format 3\x00" + bytes(5000))
    assert salvage(noise, tmp_path / "out") is None
    assert list((tmp_path / "out").iterdir()) == []


def test_what_the_program_prints_creates_tables_and_inserts_rows_and_does_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bin" / "sqlite3"
    program.parent.mkdir()
    elsewhere = tmp_path / "elsewhere.db"
    program.write_text(PROGRAM.replace("{elsewhere}", str(elsewhere)))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")  # noqa: TID251 - a child's
    (tmp_path / "out").mkdir()
    noise = tmp_path / "noise.db"
    noise.write_bytes(b"SQLite format 3\x00" + bytes(5000))
    saved = salvage(noise, tmp_path / "out")
    assert saved is not None
    assert saved.means == "sqlite3 .recover"
    assert saved.advice == ""
    with closing(sqlite3.connect(saved.database)) as connection:
        found = connection.execute("SELECT id, fields FROM observations").fetchall()
        kinds = connection.execute("SELECT DISTINCT type FROM sqlite_schema").fetchall()
    assert found == [("a", "one\ntwo;\n\\")]
    assert kinds == [("table",), ("index",)]
    assert count(saved.database, "entities") == 1
    assert not elsewhere.exists()


def test_the_program_is_installed_where_the_tests_run() -> None:
    assert shutil.which("sqlite3"), "install sqlite3, as .ci/run does"


def test_where_the_program_never_ends_the_pages_are_read_all_the_same(
    damaged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "sqlite3"
    program.write_text("#!/bin/sh\nexec sleep 100000\n")
    program.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    monkeypatch.setattr(module, "_SECONDS", 0.1)
    monkeypatch.setattr(module, "_BYTES_PER_SECOND", 1e12)
    saved = salvage(damaged, tmp_path)
    assert saved is not None
    assert saved.means == "page by page"
