"""A new database from an archive, by threads or by workers; and what may be wrong with those."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from neotoma_core.neotoma.json import stringify
from tests.archive_tables.test_building import make_history
from tests.cli.conftest import Midden
from tests.support.archiving import log_of
from tests.support.workers_of_a_cluster import local_cluster

RUNS = [[("add", 1, 0), ("add", 2, 1)], [("move", 1, 2), ("add", 3, 0), ("remove", 2, 0)]]


@pytest.fixture
def archived(tmp_path: Path) -> Path:
    make_history(tmp_path, RUNS)
    return tmp_path / "archive"


def test_a_database_is_built_where_nothing_is(
    archived: Path, tmp_path: Path, midden: Midden
) -> None:
    new = tmp_path / "new.db"
    words = ("rebuild", "--archive", archived, "--out", new)
    done = midden(*words, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["outcome"] == "restored"
    assert log_of(new) == log_of(tmp_path / "db.sqlite")
    with closing(sqlite3.connect(new)) as connection:
        ids = connection.execute("SELECT entity_id FROM entity_snapshots ORDER BY 1").fetchall()
    assert ids == [("e0",), ("e2",)]
    before = new.read_bytes()
    again = midden(*words)
    assert again.returncode == 2
    assert "there is something else already" in again.stderr
    assert new.read_bytes() == before


def test_workers_build_the_same(archived: Path, tmp_path: Path, midden: Midden) -> None:
    (tmp_path / "parts").mkdir()
    with local_cluster(1) as cluster:
        done = midden(
            *("rebuild", "--archive", archived, "--out", tmp_path / "new.db"),
            *("--task-runner", "dask"),
            *("--scheduler", cluster.scheduler_address, "--parts", tmp_path / "parts"),
        )
    assert done.returncode == 0, done.stderr
    assert log_of(tmp_path / "new.db") == log_of(tmp_path / "db.sqlite")


ADDRESS = "tcp://planted-secret@127.0.0.1:1"
BAD: dict[str, tuple[list[str], int, str]] = {
    "no --out": ([], 2, "name the new database with --out"),
    "a target, too": (["--out", "o.db", "--target", "t.db"], 2, "--target, --check"),
    "a scheduler without dask": (["--out", "o.db", "--scheduler", "tcp://a:1"], 2, "goes with"),
    "dask without a folder": (["--out", "o.db", "--task-runner", "dask"], 2, "--parts a folder"),
    "a folder that is not there": (["--out", "o.db", "--parts", "none"], 2, "no such folder"),
    "a password in the address": (
        [*("--out", "o.db", "--task-runner", "dask", "--parts", "."), f"--scheduler={ADDRESS}"],
        2,
        "--scheduler: not an address",
    ),
}


@pytest.mark.parametrize(("words", "code", "says"), BAD.values(), ids=BAD)
def test_what_does_not_go_together_is_said(
    words: list[str], code: int, says: str, archived: Path, midden: Midden
) -> None:
    done = midden("rebuild", "--archive", archived, *words)
    assert done.returncode == code
    assert says in done.stderr
    assert "planted-secret" not in done.stdout + done.stderr


def need_a_feature(protocol: dict[str, object]) -> None:
    protocol |= {"minReaderVersion": 3, "minWriterVersion": 7}
    protocol |= {"readerFeatures": ["featureOfLater"], "writerFeatures": ["featureOfLater"]}


def need_a_version(protocol: dict[str, object]) -> None:
    protocol["minReaderVersion"] = 99


@pytest.mark.parametrize("change", [need_a_feature, need_a_version])
@pytest.mark.parametrize("command", ["rebuild", "verify"])
def test_a_table_of_a_later_protocol_is_not_read(
    change: Callable[[dict[str, object]], None],
    command: str,
    archived: Path,
    tmp_path: Path,
    midden: Midden,
) -> None:
    entry = archived / "observations" / "_delta_log" / f"{0:020}.json"
    lines = [json.loads(line) for line in entry.read_text().splitlines()]
    for line in lines:
        if "protocol" in line:
            change(line["protocol"])
    entry.write_text("".join(f"{stringify(line)}\n" for line in lines))
    more = () if command == "verify" else ("--out", tmp_path / "o.db")
    done = midden(command, "--archive", archived, *more)
    assert done.returncode in {25, 27}
    assert "later format" in done.stdout + done.stderr
    assert not (tmp_path / "o.db").exists()
