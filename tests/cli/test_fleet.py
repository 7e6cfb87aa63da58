"""``midden fleet``: one operation over every database of midden.toml, as a user runs it."""

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from tests.support.fleet_faults import damage
from tests.support.fleets import Fleet, small_fleet
from tests.support.forks.commands import run_command

THREADS = '[fleet]\ntask_runner = "threads"\n'
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    return small_fleet(tmp_path / "fleet", ["a", "b", "c"], 60)


def environment_of(fleet: Fleet) -> dict[str, str]:
    own = {"MIDDEN_CONFIG": str(fleet.file), "XDG_STATE_HOME": str(fleet.folder / "state")}
    return {**os.environ, **own}  # noqa: TID251 - a child's


@pytest.fixture
def midden(fleet: Fleet) -> Run:
    """Run ``midden`` with the configuration of the fleet, in threads unless words say otherwise."""
    fleet.configure(THREADS)

    def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
        return run_command(words, environment_of(fleet))

    return run


def test_every_database_is_backed_up_looked_at_verified_and_found(midden: Run) -> None:
    first = midden("fleet", "status")
    assert (first.returncode, first.stdout.count("no backup was ever taken")) == (6, 3)
    for words, said in (
        (("backup",), "3 rows: 3 ok"),
        (("status",), "3 rows: 3 ok"),
        (("verify", "--max-age", "0s"), "1 backups restored"),
        (("find", "a", "c"), "2 rows: 2 ok"),
    ):
        done = midden("fleet", *words)
        assert (done.returncode, said in done.stdout) == (0, True), done.stdout + done.stderr


def test_the_exit_code_is_that_of_the_worst_and_the_rest_is_done(midden: Run, fleet: Fleet) -> None:
    assert midden("fleet", "backup").returncode == 0
    damage(fleet.databases["b"])
    fleet.databases["c"].vault.rename(fleet.folder / "unplugged")
    done = midden("fleet", "backup", "--json", "--task-runner", "processes")
    said = orjson.loads(done.stdout)
    assert (done.returncode, said["exit_code"]) == (11, 11)
    assert [(row["name"], row["error"]) for row in said["rows"]] == [
        ("a", None),
        ("b", "TargetRuined"),
        ("c", "VaultAbsent"),
    ]
    assert not fleet.databases["c"].vault.exists()
    assert len(fleet.databases["a"].backups) == 2


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("backup d", 2, "d: no database of that name in"),
        ("backup --workers 0", 2, "--workers"),
        ("backup --task-runner ray", 2, "'ray' is not one of"),
        ("backup --task-runner dask", 2, "needs the address of a scheduler"),
        ("backup --scheduler tcp://127.0.0.1:1", 2, "--scheduler goes with --task-runner dask"),
        ("backup --task-runner dask --scheduler nowhere", 2, "--scheduler: not an address"),
        ("status --task-runner dask --scheduler tcp://127.0.0.1:1", 41, "it did not answer"),
        ("verify --max-age soon", 2, "--max-age soon: not a span of time"),
        ("find --search /not/there", 2, "--search /not/there: there is no such file or folder"),
    ],
)
def test_bad_input_is_named_and_nothing_is_done(
    midden: Run, fleet: Fleet, words: str, code: int, said: str
) -> None:
    done = midden("fleet", *shlex.split(words))
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr
    assert not any(world.vault.exists() for world in fleet.databases.values())


def test_a_configuration_without_databases_is_refused(midden: Run, fleet: Fleet) -> None:
    fleet.file.write_text("")
    done = midden("fleet", "backup")
    assert (done.returncode, "names no database" in done.stderr) == (2, True)


def test_what_midden_toml_says_counts_unless_the_command_line_says_otherwise(
    midden: Run, fleet: Fleet
) -> None:
    fleet.configure('[fleet]\ntask_runner = "dask"\n')
    assert "needs the address of a scheduler" in midden("fleet", "status").stderr
    done = midden("fleet", "status", "--task-runner", "threads", "--workers", "3", "--json")
    said = orjson.loads(done.stdout)
    assert (said["runner"], said["workers"]) == ("threads", 3)


def test_a_configuration_with_one_vault_for_two_is_refused_by_check(
    midden: Run, fleet: Fleet
) -> None:
    assert midden("config", "check").returncode == 0
    worlds = fleet.databases
    text = fleet.file.read_text().replace(str(worlds["b"].vault), str(worlds["a"].vault))
    fleet.file.write_text(text)
    done = midden("config", "check")
    assert (done.returncode, done.stdout.count("is also that of")) == (2, 2)


def test_a_run_that_is_interrupted_ends_and_the_next_one_completes_it(fleet: Fleet) -> None:
    words = [sys.executable, "-m", "neotoma_core", "fleet", "backup", "--progress", "json"]
    with subprocess.Popen(
        words, env=environment_of(fleet), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
    ) as running:
        assert running.stderr is not None
        running.stderr.readline()  # it has begun
        running.send_signal(signal.SIGINT)
        said = running.stderr.read().decode()
    assert running.returncode == 130, said
    assert "Traceback" not in said
    done = run_command(["fleet", "backup"], environment_of(fleet))
    assert done.returncode == 0, done.stdout
