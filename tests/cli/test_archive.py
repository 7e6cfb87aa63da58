"""The archive as a user meets it: the commands, wrong input, a folder or a disk that refuses."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from neotoma_core.archive_tables.reading import table_files
from neotoma_core.archive_tables.tables import open_archive
from tests.cli.conftest import Midden
from tests.cli.test_full_disk import big_database, limit_files
from tests.support.archiving import archive
from tests.support.databases import count, entity, make_database, observation

ROWS = {"entities": [entity("e1")], "observations": [observation("o1")]}
Words = Callable[[Path], list[str | Path]]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """An archive of ``neotoma.db``, next to it."""
    archive(make_database(tmp_path / "neotoma.db", ROWS))
    return tmp_path / "archive"


def test_from_an_archive_to_an_export_and_back(tmp_path: Path, midden: Midden) -> None:
    database = make_database(tmp_path / "neotoma.db", ROWS)
    assert "2 versions" in midden("archive", "--target", database).stdout
    again = midden("archive", "--target", database)
    assert (again.returncode, "nothing is new" in again.stdout) == (0, True)
    told = midden("history", "--entity", "e1", "--target", database)
    assert ("o1" in told.stdout, told.returncode) == (True, 0)
    exported = midden("export", "--target", database, "--to", tmp_path / "out", "--json")
    assert json.loads(exported.stdout)["outcome"] == "exported"
    database.unlink()
    place = tmp_path / "vault" / "archive"
    built = midden("restore", "--from-archive", place, "--target", database, "--yes")
    assert ("undo" in built.stdout, count(database, "observations")) == (True, 1)
    verified = midden("verify", "--archive", place)
    assert (verified.returncode, "every row" in verified.stdout) == (0, True)
    assert "dry run" in midden("compact", "--archive", place).stdout


def unmerge_what_never_was(place: Path) -> list[str | Path]:
    target = place.parent / "neotoma.db"
    return ["unmerge", "--target", target, "--archive", place, "--merge-id", "m", "-n"]


BAD: dict[str, tuple[Words, int, str]] = {
    "verify what is no archive": (
        lambda p: ["verify", "--archive", p.parent],
        25,
        "not an archive (it has no archive.json); name the folder",
    ),
    "verify what is not there": (
        lambda p: ["verify", "--archive", p / "no"],
        25,
        "there is no such folder",
    ),
    "archive into another folder": (
        lambda p: ["archive", "--target", p.parent / "neotoma.db", "--to", p.parent],
        25,
        "the folder holds other files",
    ),
    "archive what is not there": (
        lambda p: ["archive", "--target", p.parent / "no.db"],
        11,
        "there is no such file",
    ),
    "restore from no archive": (
        lambda p: ["restore", "--from-archive", p.parent, "--target", p / "x.db", "-n"],
        25,
        "no archive",
    ),
    "restore as of no time": (
        lambda p: ["restore", "--from-archive", p, "--as-of", "soon", "--target", p / "x", "-n"],
        2,
        "--as-of soon: not a time",
    ),
    "restore from nothing": (lambda p: ["restore", "--target", p / "x.db", "-n"], 2, "name an"),
    "export nothing": (lambda p: ["export", "--to", p / "out"], 2, "--target, or --archive"),
    "export over its source": (
        lambda p: ["export", "--archive", p, "--to", p],
        2,
        "choose another",
    ),
    "redact no field": (
        lambda p: ["export", "--archive", p, "--to", p.parent / "out", "--redact", "name"],
        2,
        "TYPE.FIELD",
    ),
    "the history of nobody": (
        lambda p: ["history", "--archive", p, "--entity", "nobody"],
        2,
        "no observation of entity nobody",
    ),
    "unmerge what never was": (
        unmerge_what_never_was,
        2,
        "no merge m",
    ),
    "compact too early": (
        lambda p: ["compact", "--archive", p, "--retention", "0"],
        2,
        "24 hours",
    ),
    "compact nothing": (lambda _: ["compact", "--apply"], 2, "name the archive"),
}


@pytest.mark.parametrize("case", BAD.values(), ids=BAD.keys())
def test_bad_input_gets_a_message_and_a_code(
    case: tuple[Words, int, str], place: Path, midden: Midden
) -> None:
    words, code, message = case
    done = midden(*words(place))
    assert (done.returncode, message in done.stderr) == (code, True), done.stderr
    assert "Traceback" not in done.stderr


def test_a_damaged_file_is_named_by_verify(place: Path, midden: Midden) -> None:
    (file,) = table_files(open_archive(place), "observations")
    file.path.write_bytes(b"noise")
    done = midden("verify", "--archive", place)
    assert (done.returncode, file.path.name in done.stdout) == (27, True)
    refused = midden("recover", "--target", place.parent / "t.db", "--backup", place, "--yes")
    assert (refused.returncode, file.path.name in refused.stderr) == (10, True)


def test_a_disk_that_fills_leaves_an_archive_that_can_be_read(tmp_path: Path) -> None:
    database = big_database(tmp_path / "data" / "neotoma.db", 0, 400)
    archive(database, tmp_path / "archive")
    noise = random.Random(5).randbytes(3_000_000).hex()  # noqa: S311 - what cannot be compressed
    chunk = 30_000
    texts = [noise[start : start + chunk] for start in range(0, len(noise), chunk)]
    more = make_database(
        tmp_path / "more.db",
        {
            "observations": [
                observation("o1"),
                *(observation(f"n{n}", fields=f'{{"t":"{t}"}}') for n, t in enumerate(texts)),
            ]
        },
    )
    words = ("archive", "--target", more, "--to", tmp_path / "archive")
    done = subprocess.run(
        [sys.executable, "-m", "neotoma_core", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=limit_files,
        env={**os.environ, "MIDDEN_VAULT": str(tmp_path / "vault")},  # noqa: TID251 - a child's
    )
    assert (done.returncode, "the disk is full" in done.stderr) == (14, True), done.stderr
    assert archive(database, tmp_path / "archive").outcome == "unchanged"
