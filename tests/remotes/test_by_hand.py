"""What a stranger does without Midden, by the page: age, a shell, and a program for Parquet."""

import hashlib
import hmac
import json
import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.pages import DOCS, blocks
from tests.support.databases import entity, make_database, observation
from tests.support.remotes import Machine

PAGE = DOCS / "remotes.md"


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A database whose rows came, changed, went and came back, over several pushes."""
    rows = {
        "entities": [entity("e1"), entity("e2")],
        "observations": [observation(f"o{number}") for number in range(5)],
    }
    (tmp_path / "nas").mkdir()
    database = make_database(tmp_path / "neotoma.db", rows)
    made = Machine(tmp_path, f"file://{tmp_path}/nas", database)
    made.add()
    made.push()
    made.add_row("observations", observation("later", "e2"))
    made.run("UPDATE observations SET source_priority = 7 WHERE id = 'o1'")
    made.push()
    made.run("DELETE FROM observations WHERE id IN ('o2', 'o3')")
    made.push()
    made.add_row("observations", observation("o3"))
    made.push()
    return made


def test_one_table_comes_back_by_hand_cell_for_cell(machine: Machine) -> None:
    assert shutil.which("age"), "Debian's package age"
    (script,) = [block for block in blocks(PAGE, "sh") if "age -d" in block]
    home = machine.folder / "home"
    (home / ".config" / "midden").mkdir(parents=True)
    shutil.copyfile(machine.folder / "there.identity", home / ".config/midden/disk.identity")
    done = subprocess.run(
        ["bash", "-ec", script],
        cwd=machine.folder,
        env={**os.environ, "HOME": str(home)},  # noqa: TID251 - a child's
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (program,) = blocks(PAGE, "python")
    assert 'Path("by-hand")' in program
    program = program.replace('Path("by-hand")', f"Path({str(machine.folder / 'by-hand')!r})")
    names: dict[str, Any] = {}
    exec(program, names)  # noqa: S102 - the page's own
    observations: pl.DataFrame = names["observations"]
    with closing(sqlite3.connect(machine.database)) as connection:
        cursor = connection.execute("SELECT * FROM observations ORDER BY rowid")
        columns = [column for column, *_ in cursor.description]
        stored = cursor.fetchall()
    by_hand = observations.sort("_rowid").select(columns).rows()
    assert by_hand == stored
    assert {"later", "o1", "o3"} <= {row[columns.index("id")] for row in by_hand}


def test_only_the_identity_opens_it(machine: Machine, tmp_path: Path) -> None:
    keys = tmp_path / "other.identity"
    subprocess.run(["age-keygen", "-o", str(keys)], check=True, capture_output=True)
    for sealed in (tmp_path / "nas").rglob("*"):
        if sealed.is_file() and sealed.name != "midden.json":
            done = subprocess.run(
                ["age", "-d", "-i", str(keys), str(sealed)], check=False, capture_output=True
            )
            assert done.returncode != 0
            assert done.stdout == b""
    assert machine.identities


def test_names_are_made_as_the_page_says(machine: Machine) -> None:
    described = json.loads((machine.folder / "nas" / "midden.json").read_text())
    key = subprocess.run(
        ["age", "-d", "-i", str(machine.folder / "there.identity")],
        input=bytes.fromhex(described["key"]),
        check=True,
        capture_output=True,
    ).stdout
    secret = hashlib.sha256(b"midden names " + key).digest()
    for sealed in (machine.folder / "nas" / "blobs").glob("*/*"):
        opened = subprocess.run(
            ["age", "-d", "-i", str(machine.folder / "there.identity"), str(sealed)],
            check=True,
            capture_output=True,
        ).stdout
        digest = hashlib.sha256(opened).hexdigest().encode()
        assert hmac.new(secret, digest, hashlib.sha256).hexdigest() == sealed.name
