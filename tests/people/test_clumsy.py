"""Clumsy: wrong words, paths, devices and pipes cost one line, and change nothing."""

import os
from pathlib import Path

import pytest

from tests.people.conftest import TARGET, Person

NAMED = ("--target", TARGET)
WRONG: dict[str, tuple[list[str], int]] = {
    "a device as the database": (["status", "/dev/zero"], 11),
    "a folder as the database": (["status", "data"], 11),
    "a pipe as the database": (["status", "pipe"], 11),
    "another program's database": (["status", "Documents/photos.db"], 11),
    "a misspelt database": (["status", "nope.db"], 11),
    "a device as a backup": (["recover", *NAMED, "--backup", "/dev/zero", "--yes"], 10),
    "a pipe as a backup": (["recover", *NAMED, "--backup", "pipe", "--yes"], 10),
    "a number without backups": (["recover", *NAMED, "--backup", "7", "--yes"], 2),
    "a folder that is not there": (["recover", *NAMED, "--search", "nope", "--yes"], 2),
    "development into production": (
        ["recover", *NAMED, "--backup", "data/neotoma.db", "--yes"],
        13,
    ),
    "a pipe as a vault": (["status", *NAMED, "--vault", "pipe"], 20),
    "a file as a vault": (["backup", *NAMED, "--vault", TARGET], 20),
    "a configuration that is not there": (["--config", "nope.toml", "status"], 2),
    "a database named twice": (["status", TARGET, *NAMED], 2),
    "an export over a file": (["export", *NAMED, "--to", TARGET], 2),
    "a demo over one's own files": (["demo", "--folder", "data"], 2),
    "a day that is none": (["export", *NAMED, "--to", "x", "--as-of", "2026-02-30"], 2),
    "a backup that is not there": (["restore", "99", *NAMED, "--yes"], 2),
    "an entity that is not there": (["erase", *NAMED, "--entity", "nope", "--yes"], 2),
    "nobody to ask": (["reset", *NAMED], 2),
}


def states(home: Path) -> dict[str, tuple[int, int]]:
    midden = home / ".local"
    return {
        str(path): (found.st_size, found.st_mtime_ns)
        for path in home.rglob("*")
        if not path.is_relative_to(midden) and not path.is_dir()
        for found in [path.lstat()]
    }


@pytest.mark.parametrize("wrong", WRONG)
def test_one_line_the_right_code_and_nothing_changes(wrong: str, person: Person) -> None:
    os.mkfifo(person.home / "pipe")
    words, code = WRONG[wrong]
    before = states(person.home)
    done = person.say(*words)
    assert done.returncode == code, (done.stdout, done.stderr)
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("midden: ")
    assert states(person.home) == before
    assert not (person.home / "data" / "incident").exists()


def test_a_monitor_reads_unknown_where_no_database_is_named(person: Person) -> None:
    done = person.say("status", "--check")
    assert (done.returncode, done.stdout.startswith("UNKNOWN - name the database")) == (3, True)
