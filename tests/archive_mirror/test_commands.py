"""Commands that take an archive take one on a store, by its address, and never say a secret."""

import json
import os
import socket
import sqlite3
from contextlib import closing
from pathlib import Path
from secrets import token_hex

import pytest

from tests.archive_mirror.test_two_at_once import DAY
from tests.conftest import NOW
from tests.support.archiving import log_of
from tests.support.cutting import network
from tests.support.forks.commands import run_command
from tests.support.on_a_store import TABLE, Archived
from tests.support.seaweed import STRANGER, S3Server
from tests.support.servers import free_ports
from tests.support.storing import in_bucket, new_bucket


class Commands:
    """Commands with the address of an archive, in an environment that leads to its server."""

    def __init__(self, there: Archived, vault: Path) -> None:
        self.there = there
        self.url = there.place.url
        self.environment = {
            **os.environ,  # noqa: TID251 - a child's
            "AWS_ENDPOINT_URL": there.place.options.endpoint or "",
            "MIDDEN_VAULT": str(vault),
        }
        self.said = ""

    def run(self, *words: str | Path, code: int = 0) -> str:
        """Run a command and return what it printed."""
        done = run_command(words, self.environment)
        self.said = done.stdout + done.stderr
        assert done.returncode == code, self.said
        assert "midden-" not in self.said.replace("midden-archive", "")  # no scratch
        assert self.environment["AWS_SECRET_ACCESS_KEY"] not in self.said
        return done.stdout


@pytest.fixture
def commands(there: Archived, tmp_path: Path) -> Commands:
    return Commands(there, tmp_path / "vault")


def test_every_reader_takes_an_address(commands: Commands, tmp_path: Path) -> None:
    url, database = commands.url, commands.there.database
    made = json.loads(commands.run("archive", "--target", database, "--to", url, "--json"))
    assert (made["archive"], made["outcome"], made["appended"]) == (url, "archived", 4)
    verified = json.loads(commands.run("verify", "--archive", url, "--json"))
    assert (verified["archive"], verified["outcome"]) == (url, "verified")
    listed = json.loads(commands.run("history", "--archive", url, "--entity", "e1", "--json"))
    assert (listed["archive"], len(listed["versions"])) == (url, 2)
    assert commands.run("show", "e1", "--target", database, "--in", url)
    assert commands.run("show", "e1", "--target", database, "--archive", url)
    assert commands.run("diff", database, url, "--target", database)
    assert commands.run("merges", "--target", database, "--archive", url)
    out = tmp_path / "exported"
    commands.run("export", "--archive", url, "--to", out, "--vault", tmp_path / "export-vault")
    assert (out / "observations.parquet").is_file()
    commands.run("compact", "--archive", url, "--apply")
    commands.run("unmerge", "--target", database, "--archive", url, "--merge-id", "none", code=2)


def test_a_database_comes_back_from_an_archive_on_a_store(
    commands: Commands, tmp_path: Path
) -> None:
    url, database = commands.url, commands.there.database
    commands.run("archive", "--target", database, "--to", url)
    back = tmp_path / "elsewhere" / "neotoma.db"
    back.parent.mkdir()
    vault = ("--vault", tmp_path / "another-vault")
    said = json.loads(
        commands.run("restore", "--from-archive", url, "--target", back, *vault, "--yes", "--json")
    )
    assert (said["archive"], said["outcome"]) == (url, "restored")
    assert log_of(back) == log_of(database)


def test_a_database_is_rebuilt_from_one_at_a_new_place(commands: Commands, tmp_path: Path) -> None:
    database, new = commands.there.database, tmp_path / "new.db"
    commands.run("archive", "--target", database, "--to", commands.url)
    built = json.loads(commands.run("rebuild", "--archive", commands.url, "--out", new, "--json"))
    assert built["archive"] == commands.url
    assert log_of(new) == log_of(database)


def test_a_recovery_takes_one_as_a_backup(commands: Commands) -> None:
    url, database = commands.url, commands.there.database
    commands.run("archive", "--target", database, "--to", url)
    commands.there.change("DELETE FROM observations WHERE id = 'o1'")
    said = commands.run("recover", "--target", database, "--backup", url, "--yes", "--json")
    report = json.loads(said)
    assert [one["path"] for one in report["backups"]] == [url]
    assert identifiers(database) == {"o0", "o1"}


def identifiers(database: Path) -> set[str]:
    with closing(sqlite3.connect(database)) as connection:
        return {row[0] for row in connection.execute(f"SELECT id FROM {TABLE}")}


def test_what_is_erased_stays_erased_and_is_said_to_be_there(commands: Commands) -> None:
    url, database = commands.url, commands.there.database
    commands.run("archive", "--target", database, "--to", url)
    said = commands.run(
        *("erase", "--target", database, "--observation", "o1", "--yes", "--json"),
    )
    holding = {one["folder"]: one["remove"] for one in json.loads(said)["holding"]}
    assert holding[url] == f"aws s3 rm --recursive '{url}'"
    assert sum("remotes/archive-" in path for path in holding) == 1
    commands.run("restore", "--from-archive", url, "--target", database, "--yes")
    assert identifiers(database) == {"o0"}
    assert commands.run("archive", "--target", database, "--to", url)
    commands.run("recover", "--target", database, "--backup", url, "--yes")
    assert identifiers(database) == {"o0"}


def test_the_address_may_stand_in_a_variable(commands: Commands) -> None:
    commands.environment["MIDDEN_ARCHIVE_TO"] = commands.url
    said = commands.run("archive", "--target", commands.there.database, "--json")
    assert json.loads(said)["archive"] == commands.url


def test_damage_is_named_by_the_address(commands: Commands) -> None:
    commands.there.archive()
    (lost,) = [name for name in commands.there.names(TABLE) if name.endswith(".parquet")]
    commands.there.remove(lost)
    said = commands.run("verify", "--archive", commands.url, code=27)
    assert f"{commands.url}/{lost}: the file is missing" in said
    commands.run("export", "--archive", commands.url, "--to", commands.there.folder / "x", code=27)
    assert f"{commands.url}/{lost}" in commands.said
    commands.run("compact", "--archive", commands.url, code=27)
    assert f"midden verify --archive '{commands.url}'" in commands.said


def test_wrong_credentials_are_said_and_not_repeated(commands: Commands) -> None:
    commands.there.archive()
    secret = f"planted-{token_hex(16)}"
    commands.environment["AWS_SECRET_ACCESS_KEY"] = secret
    for words in (
        ("archive", "--target", commands.there.database, "--to", commands.url),
        ("verify", "--archive", commands.url),
        ("restore", "--from-archive", commands.url, "--target", commands.there.database, "--yes"),
    ):
        commands.run(*words, code=32)
        assert f"remote {commands.url}: access was denied" in commands.said
    for path in commands.there.folder.rglob("*"):
        assert not path.is_file() or secret.encode() not in path.read_bytes()


def test_a_user_without_rights_is_refused(commands: Commands) -> None:
    commands.environment["AWS_ACCESS_KEY_ID"] = STRANGER[0]
    commands.environment["AWS_SECRET_ACCESS_KEY"] = STRANGER[1]
    commands.run("archive", "--target", commands.there.database, "--to", commands.url, code=32)


def test_a_bucket_that_is_gone_is_said(s3: S3Server, tmp_path: Path) -> None:
    bucket = new_bucket(s3)
    there = Archived(in_bucket(s3, bucket), tmp_path)
    there.make()
    there.archive()
    there.remove(*there.names())
    with s3.owner() as client:
        client.delete_bucket(Bucket=bucket)
    commands = Commands(there, tmp_path / "vault")
    commands.run("archive", "--target", there.database, "--to", there.place.url, code=30)
    assert "there is no such bucket or container" in commands.said
    commands.run("verify", "--archive", there.place.url, code=30)


CUTS = [
    [("down", 0)],
    [("up", 200), ("down", 300)],
    [("down", 4000)] * 3,
    [("up", 1500), ("down", 0), ("up", 0), ("down", 700)],
]


@pytest.mark.parametrize("cuts", CUTS, ids=str)
def test_a_connection_that_breaks_half_way_loses_nothing(
    cuts: list[tuple[str, int]], there: Archived
) -> None:
    port = int((there.place.options.endpoint or "").rpartition(":")[2])
    with network(port) as between:
        behind = Archived(
            there.place.with_options(endpoint=f"http://127.0.0.1:{between.port}"), there.folder
        )
        between.cuts = list(cuts)
        assert behind.archive().appended == 4
        there.add("o3")
        between.cuts = [*between.cuts, *cuts]
        between.break_all()
        assert behind.archive(now=NOW + DAY).appended == 1
        assert between.cut
    assert there.verify().findings == ()


def test_what_looks_at_archives_does_not_wait_for_a_store(commands: Commands) -> None:
    """A server that takes connections and never answers: whoever asked it would hang."""
    url, database = commands.url, commands.there.database
    commands.run("archive", "--target", database, "--to", url)
    commands.run("backup", "--target", database)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        commands.environment["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{silent.getsockname()[1]}"
        commands.run("status", "--target", database, "--json")
        commands.run("prune", "--target", database)
        commands.run("find", database.parent, "--json")
        silent.settimeout(0)
        with pytest.raises(BlockingIOError):
            silent.accept()


def test_a_store_that_does_not_answer_is_said(commands: Commands) -> None:
    (port,) = free_ports(1)
    commands.environment["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{port}"
    commands.run("archive", "--target", commands.there.database, "--to", commands.url, code=31)
    assert "it does not answer" in commands.said
