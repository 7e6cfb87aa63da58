"""Standard streams that fail, are closed, or lack signs: what was done is said right."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.support.databases import count, entity, make_database, observation

ROOT: Final = Path(__file__).parents[2]
READER_GONE: Final = 141
OUTPUT_FAILED: Final = 15
BACKUP: Final = "bäckup-😀.db"
RECOVER: Final = f"recover --target target.db --backup {BACKUP} --no-archive"
UNWRITABLE: Final = "1< /dev/null"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = {"entities": [entity("e1")], "observations": [observation("o1")]}
    make_database(tmp_path / "target.db", rows)
    make_database(tmp_path / BACKUP, {**rows, "observations": [observation("o2")]})
    return tmp_path


def midden(
    folder: Path, words: str, output: int = subprocess.PIPE, **known: str
) -> "subprocess.CompletedProcess[bytes]":
    """Run ``midden`` by a shell, which redirects its streams."""
    given = {"MIDDEN_VAULT": "vault", "PYTHONPATH": str(ROOT), **known}
    return subprocess.run(
        ["bash", "-c", f"exec {sys.executable} -m neotoma_core {words}"],
        stdout=output,
        stderr=subprocess.PIPE,
        check=False,
        cwd=folder,
        env={**os.environ, **given},  # noqa: TID251 - a child's
    )


@contextmanager
def open_unread() -> Iterator[int]:
    """Yield a pipe that nobody reads any longer."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        yield writing
    finally:
        os.close(writing)


def test_output_that_cannot_be_written_is_not_a_full_vault_and_the_undo_is_told(
    folder: Path,
) -> None:
    done = midden(folder, f"{RECOVER} --json --yes {UNWRITABLE}")
    said = done.stderr.decode()
    assert (done.returncode, count(folder / "target.db", "observations")) == (OUTPUT_FAILED, 2)
    assert said.startswith("midden: standard output: ")
    assert said.count("\n") == 1
    assert "the target target.db was already changed" in said
    undo = said.partition("undo: midden ")[2].partition(";")[0]
    assert midden(folder, f"{undo} --yes").returncode == 0
    assert count(folder / "target.db", "observations") == 1


def test_output_that_fails_before_anything_is_written_changes_nothing(folder: Path) -> None:
    done = midden(folder, f"{RECOVER} --dry-run {UNWRITABLE}")
    assert done.returncode == OUTPUT_FAILED
    assert b"nothing was changed" in done.stderr


def test_output_that_nobody_reads_any_longer_ends_it_quietly(folder: Path) -> None:
    with open_unread() as pipe:
        looked = midden(folder, "--help", pipe)
        done = midden(folder, f"{RECOVER} --json --yes", pipe)
    assert (looked.returncode, looked.stderr) == (READER_GONE, b"")
    assert done.returncode == READER_GONE
    assert done.stderr.startswith(b"midden: nobody reads the output; the target target.db was")
    assert count(folder / "target.db", "observations") == 2


def test_with_every_stream_closed_the_work_is_done(folder: Path) -> None:
    done = midden(folder, f"{RECOVER} --yes <&- >&- 2>&-")
    assert done.returncode == 0
    assert count(folder / "target.db", "observations") == 2


def test_nobody_answers_at_a_closed_input(folder: Path) -> None:
    done = midden(folder, f"{RECOVER} <&-")
    assert (done.returncode, done.stderr.count(b"\n")) == (2, 1)


def test_what_an_encoding_lacks_is_spelled_out_and_a_document_stays_one(folder: Path) -> None:
    done = midden(folder, f"{RECOVER} --dry-run --json", PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    (used,) = json.loads(done.stdout.decode("ascii"))["backups"]
    assert used["path"] == BACKUP
