"""Killed before any write of a push, a pull or a restore: nothing is lost, nothing doubled.

And running the same again finishes it.
"""

import random
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from neotoma_core.remotes.copies import copy_log
from neotoma_core.remotes.known import keep_remote, read_remotes
from neotoma_core.remotes.remote import read_logs
from neotoma_core.report.progress import Silent
from tests.crash.doomed import KILLED, WRITES, Doomed, run, start_doomed
from tests.support import raw
from tests.support.archiving import log_of, rebuild
from tests.support.databases import entity, insert_all, observation
from tests.support.remotes import Machine, machine_in

OPERATIONS: Final = ("push", "pull", "restore-remote")
SAMPLE: Final = 8
ALL: Final = 100


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two machines that share a remote in a folder; both have something new since."""
    folder = tmp_path_factory.mktemp("template")
    (folder / "nas").mkdir()
    one = Machine(folder / "one", f"file://{folder}/nas", _database(folder / "one"))
    one.add()
    one.push()
    shutil.copytree(folder / "one", folder / "other")
    shutil.rmtree(folder / "other" / "vault")
    other = machine_in(folder / "other")
    other.add()
    for machine, name in ((one, "one"), (other, "other")):
        rows = {"observations": [observation(f"{name}-{n}", "e2") for n in range(3)]}
        insert_all(machine.database, rows)
        raw.put(machine.folder / "sources", name.encode())
    other.push()
    return folder


def _database(folder: Path) -> Path:
    raw.put(folder / "sources", b"first")
    path = raw.database(folder / "neotoma.db", b"first")
    insert_all(
        path,
        {
            "entities": [entity("e2")],
            "observations": [observation(f"begun-{n}") for n in range(4)],
        },
    )
    return path


@pytest.fixture(scope="module")
def zygote() -> Iterator[Doomed]:
    with start_doomed() as process:
        yield process


def move(template: Path, to: Path) -> Path:
    """Return a copy of the template, whose machines know the remote that is in it."""
    shutil.copytree(template, to)
    for name in ("one", "other"):
        vault = to / name / "vault"
        (known,) = read_remotes(vault)
        keep_remote(vault, replace(known, url=f"file://{to}/nas"))
    return to


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Take more moments where every failure is asked for."""
    if "batch" in metafunc.fixturenames:
        every = metafunc.config.getoption("--every-failure")
        metafunc.parametrize("batch", range(-(-ALL // SAMPLE) if every else 1))


@pytest.mark.parametrize("operation", OPERATIONS)
def test_killed_before_any_write(
    operation: str, batch: int, template: Path, tmp_path: Path, zygote: Doomed
) -> None:
    whole = move(template, tmp_path / "whole")
    assert zygote.at_write(0, operation, whole) == 0
    writes = int((whole / WRITES).read_text())
    chance = random.Random(f"{operation} {batch}")  # noqa: S311 - the same moments every time
    picked = chance.sample(range(1, writes + 1), min(SAMPLE, writes))
    expected = state_of(whole)

    for number in picked:
        world = move(template, tmp_path / str(number))
        before = state_of(world)
        assert zygote.at_write(number, operation, world) == KILLED
        assert is_between(before, state_of(world), expected)
        run(operation, world)
        assert state_of(world) == expected, number
        shutil.rmtree(world)


def state_of(world: Path) -> dict[str, object]:
    """Return the log of each machine, of what each log of the remote holds, and of what came back.

    Entries and contents of the remote are counted: nothing is doubled.
    """
    found: dict[str, object] = {
        name: _rows(world / name / "neotoma.db") for name in ("one", "other")
    }
    machine = machine_in(world / "other")
    remote = machine.remote()
    for writer, log in sorted(read_logs(remote).items()):
        folder = world / f"look-{writer}"
        folder.mkdir()
        copy = copy_log(remote, log, folder, log.raw_files.keys(), Silent())
        found[writer] = (
            _rows(rebuild(copy.archive, folder / "built.db")),
            sorted(log.raw_files),
            len(log.entries),
        )
        shutil.rmtree(folder)
    back = world / "back" / "neotoma.db"
    found["back"] = _rows(back) if back.exists() else None
    return found


def is_between(before: dict[str, object], now: dict[str, object], after: dict[str, object]) -> bool:
    """Return whether databases are old or new; a log on the remote may be on its way."""
    return all(now[name] in (before[name], after[name]) for name in ("one", "other", "back"))


def _rows(database: Path) -> dict[str, list[str]]:
    return {table: sorted(map(repr, rows)) for table, rows in log_of(database).items()}
