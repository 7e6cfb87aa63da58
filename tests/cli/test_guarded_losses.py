"""Whatever can take rows away from a database is guarded: one test per path, for each property.

In production the name of the database is typed at a terminal, and --yes does not count; a verified
backup and evidence come first.
"""

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from neotoma_core.cli.app import app
from neotoma_core.cli.terminal.asking import DECLINED
from neotoma_core.neotoma.versions import SETTLED, tables_at
from tests.cli.conftest import Midden
from tests.support.archiving import archive
from tests.support.backing_up import Vault, copy_vault, fill, small_vault
from tests.support.databases import USER, count, entity, make_database, observation
from tests.support.merging_entities import merge_entities

Words = list[str | Path]
MANY = 40


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    """A production database of 40 observations, and whatever holds only the first of them."""
    world = small_vault(tmp_path_factory.mktemp("template"), 1)
    world.back_up()
    archive(world.target, world.folder / "archive")
    neotomas_own(world)
    (one, nothing) = (world.folder / name for name in ("evidence of one", "evidence of nothing"))
    world.restore("1")
    (world.vault / "evidence").rename(one)
    world.target.unlink()
    world.restore("1")
    (world.vault / "evidence").rename(nothing)
    other = small_vault(world.folder / "other", 1)
    fill(other.target, MANY, first=7_000)
    other.back_up()
    fill(world.target, MANY)
    contradicting(world)
    return world


@pytest.fixture
def world(template: Vault, tmp_path: Path) -> Vault:
    return copy_vault(template, tmp_path)


def neotomas_own(world: Vault) -> None:
    """Make a backup as Neotoma itself would."""
    folder = world.folder / "neotomas own"
    folder.mkdir()
    shutil.copy(world.target, folder)
    digest = sha256(world.target.read_bytes()).hexdigest()
    described = {
        "contents": {"neotoma_db": world.target.name},
        "checksums": {world.target.name: f"sha256:{digest}"},
    }
    (folder / "manifest.json").write_text(json.dumps(described))  # noqa: TID251 - not ours


def contradicting(world: Vault) -> None:
    """Make a copy in which every observation says something else."""
    numbers = range(MANY)
    make_database(
        world.folder / "contradicting" / "neotoma.prod.db",
        {
            "entities": [entity(f"e{n:04}") for n in numbers],
            "observations": [
                observation(f"o{n:04}", f"e{n:04}", fields='{"title":"x"}') for n in numbers
            ],
        },
    )


def only(folder: Path) -> Path:
    (found,) = folder.iterdir()
    return found


PATHS: dict[str, Callable[[Vault], Words]] = {
    "restore a backup": lambda _: ["restore", "1"],
    "restore evidence, the undo": lambda w: ["restore", only(w.folder / "evidence of one")],
    "undo a creation": lambda w: ["restore", only(w.folder / "evidence of nothing")],
    "restore a backup of Neotoma's": lambda w: ["restore", w.folder / "neotomas own"],
    "restore as many other rows": lambda w: [
        *("restore", Vault(w.folder / "other").place(), "--allow-environment-mismatch"),
    ],
    "restore from an archive": lambda w: ["restore", "--from-archive", w.folder / "archive"],
    "restore from an archive as of a time": lambda w: [
        *("restore", "--from-archive", w.folder / "archive", "--as-of", "2026-12-01"),
    ],
    "reset": lambda _: ["reset"],
    "erase a user": lambda _: ["erase", "--user", USER],
    "erase observations": lambda _: [
        "erase",
        *(word for n in range(MANY - 1) for word in ("--observation", f"o{n:04}")),
    ],
    "recover with keep-source": lambda w: [
        *("recover", "--mode", "keep-source"),
        *("--backup", w.folder / "contradicting" / "neotoma.prod.db"),
    ],
}
every_path = pytest.mark.parametrize("path", PATHS)


@every_path
def test_yes_is_not_enough_in_production(path: str, world: Vault, midden: Midden) -> None:
    before, backups = world.target.read_bytes(), world.backups
    done = midden(*PATHS[path](world), "--target", world.target, "--yes")
    assert done.returncode == 2, done.stderr
    assert "--yes does not count here" in done.stderr
    assert "nothing was changed" in done.stderr
    assert "40 observations" in done.stderr or "39 observations" in done.stderr
    assert world.target.read_bytes() == before
    assert world.backups == backups
    assert not list(world.target.parent.glob("*neotoma.prod.db?*"))
    assert path.startswith("recover") or not list((world.vault / "evidence").glob("*"))


@every_path
@pytest.mark.parametrize("typed", ["yes", ""])
def test_another_answer_than_the_name_changes_nothing(
    path: str, typed: str, world: Vault, at_terminal: Midden
) -> None:
    before, backups = world.target.read_bytes(), world.backups
    done = at_terminal(*PATHS[path](world), "--target", world.target, "--yes", typed=typed)
    assert done.returncode == DECLINED, done.stderr
    assert "type the name of the database to go on (neotoma.prod.db)" in done.stderr
    assert "nothing was changed" in done.stdout
    assert world.target.read_bytes() == before
    assert world.backups == backups


@every_path
def test_with_the_name_typed_it_goes_on_and_can_be_undone(
    path: str, world: Vault, at_terminal: Midden
) -> None:
    before, backups = world.target.read_bytes(), world.backups
    words = (*PATHS[path](world), "--target", world.target, "--yes")
    done = at_terminal(*words, typed="neotoma.prod.db")
    assert done.returncode == 0, done.stderr
    assert not world.target.exists() or world.target.read_bytes() != before
    (added,) = world.backups[len(backups) :]
    assert (added.manifest.kind, added.state.is_verified) == (f"before-{words[0]}", True)
    assert added.manifest.counts.observations == MANY
    named = added.name if words[0] == "erase" else f"backup     {added.name}"
    assert named in done.stdout
    if words[0] == "erase":
        assert "no undo" in done.stdout
        return
    undo = done.stdout.partition("undo       ")[2].split()
    undone = at_terminal(*undo[1:], "--yes", typed="neotoma.prod.db")
    assert undone.returncode == 0, undone.stderr
    assert world.target.read_bytes() == before


@every_path
def test_a_development_database_is_backed_up_first(path: str, world: Vault, midden: Midden) -> None:
    development = world.target.rename(world.target.with_name("neotoma.db"))
    may_cross = ["--allow-environment-mismatch"] if path.startswith(("restore ", "recover")) else []
    words = [*PATHS[path](world), "--target", development, "--yes", *may_cross]
    done = midden(*words)
    assert done.returncode == 0, done.stderr
    assert world.backups[-1].manifest.kind == f"before-{words[0]}"
    assert world.backups[-1].state.is_verified


@every_path
def test_a_set_environment_makes_it_production(
    path: str, world: Vault, midden: Midden, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = world.target.rename(world.target.with_name("memory.db"))
    before = plain.read_bytes()
    monkeypatch.setenv("NEOTOMA_ENV", "production")
    done = midden(*PATHS[path](world), "--target", plain, "--yes")
    assert (done.returncode, "--yes does not count here" in done.stderr) == (2, True), done.stderr
    assert plain.read_bytes() == before


@pytest.mark.parametrize("source", ["backup", "archive"])
def test_what_takes_little_away_needs_no_more_than_a_yes(
    source: str, world: Vault, midden: Midden
) -> None:
    fill(world.target, MANY - 2)
    archive(world.target, world.folder / "archive")
    world.back_up()
    number = str(len(world.backups))
    fill(world.target, MANY)
    backups = world.backups
    words: dict[str, Words] = {
        "backup": ["restore", number],
        "archive": ["restore", "--from-archive", world.folder / "archive"],
    }
    done = midden(*words[source], "--target", world.target, "--yes")
    assert done.returncode == 0, done.stderr
    assert count(world.target, "observations") == MANY - 2
    assert world.backups == backups


def ids(database: Path, table: str) -> set[str]:
    with closing(sqlite3.connect(database)) as connection:
        return {i for (i,) in connection.execute(f"SELECT id FROM {table}")}


@pytest.mark.parametrize("command", ["rebuild", "unmerge"])
def test_what_is_not_guarded_takes_no_row_of_the_log(
    command: str, world: Vault, midden: Midden
) -> None:
    archive(world.target, world.folder / "archive")
    merge_entities(world.target, "e0000", "e0001", "m1", at="2026-03-01", user=USER)
    before = Path(shutil.copy(world.target, world.folder / "before.db"))
    of_merge = ("--archive", world.folder / "archive", "--merge-id", "m1", "--yes")
    words = of_merge if command == "unmerge" else ("--yes",)
    done = midden(command, "--target", world.target, *words)
    assert done.returncode == 0, done.stderr
    assert world.target.read_bytes() != before.read_bytes()
    for table in tables_at(SETTLED):
        if not table.merged:
            continue
        assert ids(before, table.name) <= ids(world.target, table.name)


GUARDED = {"restore", "reset", "erase", "recover"}
GUARDED_TOO = {
    "pull",  # a recovery, and an erasure: tests/pull/test_guarded.py
    "mcp",  # what a person approved: tests/agents/test_adversaries.py
}
TAKES_NOTHING = {
    "rebuild",  # writes snapshots, which are derived
    "unmerge",  # gives rows back
}
WRITES_NO_DATABASE = {
    *("find", "status", "backup", "backups", "verify", "prune", "forget", "guard", "serve"),
    *("archive", "export", "history", "compact", "demo", "push", "remote"),
    *("show", "diff", "merges", "config", "approve", "audit", "completion"),
    *("init", "schedule", "doctor", "fleet"),
}


def test_of_every_command_it_is_known_what_it_can_take_away() -> None:
    commands = {c.callback.__name__ for c in app.registered_commands if c.callback is not None}
    commands |= {group.name for group in app.registered_groups if group.name is not None}
    assert commands == GUARDED | GUARDED_TOO | TAKES_NOTHING | WRITES_NO_DATABASE
    assert {path.split(maxsplit=1)[0] for path in PATHS} - {"undo"} == GUARDED
