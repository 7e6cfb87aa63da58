"""Backups rewritten without what was erased: proven, in the place of the old one, or not at all."""

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import zstandard

from neotoma_core.backup.listing import accept_loss, pin_backup
from neotoma_core.backup.prune import prune_backups
from neotoma_core.backup.retention import RetentionPolicy
from neotoma_core.erasure.erase import erase
from neotoma_core.erasure.request import EraseRequest, erase_run
from neotoma_core.forget.forget import ForgetRequest, forget_erased
from neotoma_core.forget.report import ForgetReport
from neotoma_core.report.progress import Silent
from neotoma_core.vault.backups import STATE
from neotoma_core.vault.manifests import Manifest, seal_line
from tests.support.backing_up import HASH, Vault, copy_vault, fill, small_vault

OTHER = "486ea46224d1bb4fb680f34f7c9ad96a8f24ec88be73ea8e5a6c65260e9cb8a7"  # of "world"
SECRET = b"e0007"
LOG = "data/logs_prod/app.log"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    """Four backups: two of one state, the second pinned; one of a later state; one of now.

    Before the last one, an entity and the source of a raw file were erased; the log of the first
    backup names the entity. Another raw file is in all of them.
    """
    world = small_vault(tmp_path_factory.mktemp("template"), 20)
    (world.folder / "data/sources_prod/u1" / OTHER).write_bytes(b"world")
    log = world.folder / LOG
    log.parent.mkdir()
    log.write_text("seen e0007\n")
    world.back_up(logs=True)
    world.back_up()
    pin_backup(world.vault, "2", "keep")
    fill(world.target, 21)
    with closing(sqlite3.connect(world.target)) as connection, connection:
        connection.execute("UPDATE observations SET source_id = 's1' WHERE id = 'o0007'")
    world.back_up()
    log.unlink()
    request = EraseRequest(world.target, world.vault, entities=("e0007",))
    world.now += timedelta(hours=1)
    with erase_run(request, world.now) as run:
        report = erase(run, lambda _: True, Silent())
    assert report.forget.startswith("midden forget --erased")
    world.accept(world.back_up().backup)  # half of the raw files are gone
    return world


@pytest.fixture
def world(template: Vault, tmp_path: Path) -> Vault:
    return copy_vault(template, tmp_path)


@pytest.fixture(scope="module")
def done(template: Vault, tmp_path_factory: pytest.TempPathFactory) -> tuple[Vault, ForgetReport]:
    """The same after it was forgotten, and the report: to be looked at only."""
    world = copy_vault(template, tmp_path_factory.mktemp("done"))
    return world, forget(world)


@pytest.fixture
def forgotten(done: tuple[Vault, ForgetReport], tmp_path: Path) -> Vault:
    return copy_vault(done[0], tmp_path)


def forget(world: Vault, *, agrees: bool = True) -> ForgetReport:
    world.now += timedelta(hours=1)
    request = ForgetRequest(world.target, world.vault)
    return forget_erased(request, world.now, lambda _: agrees, Silent())


def holding(world: Vault) -> list[str]:
    """Return the files of the backups, unpacked, that still name what was erased."""
    found = []
    for path in sorted(world.vault.glob("backups/*/*.zst")):
        with path.open("rb") as file:
            try:
                plain = zstandard.ZstdDecompressor().stream_reader(file).read()
            except zstandard.ZstdError:
                continue
        if SECRET in plain or HASH.encode() in plain:
            found.append(str(path.relative_to(world.vault / "backups")))
    return found


def manifest(world: Vault, number: int) -> Manifest:
    return next(b.manifest for b in world.backups if b.manifest.sequence == number)


def test_a_plan_changes_nothing(world: Vault) -> None:
    before = sorted(world.vault.glob("backups/*/*"))
    report = forget(world, agrees=False)
    assert (report.outcome, len(report.holding), report.looked_at) == ("planned", 3, 4)
    assert sorted(world.vault.glob("backups/*/*")) == before


def test_each_is_rewritten_proven_and_in_the_place_of_the_old_one(
    done: tuple[Vault, ForgetReport], template: Vault
) -> None:
    world, report = done
    assert (report.outcome, report.is_complete, len(report.holding)) == ("forgotten", True, 3)
    assert (len(holding(template)), holding(world)) == (7, [])
    old = {b.manifest.sequence: b for b in template.backups}
    new = {b.manifest.sequence: b for b in world.backups}
    assert list(new) == [1, 2, 3, 4]
    for number in (1, 2, 3):
        was, made = old[number].manifest, new[number].manifest
        assert (made.name, made.taken_at, made.kind) == (f"{was.name}.2", was.taken_at, was.kind)
        assert made.counts.observations == was.counts.observations - 1
        assert made.counted_at == world.now
        assert new[number].is_good
    assert new[4] == old[4]
    assert new[2].state.pinned == "keep"
    assert world.list_backups().listed[0].rewritten_at is not None
    assert (world.list_backups().strange, list(world.vault.glob("work/*"))) == ((), [])


def test_it_passes_its_drill_again_and_holds_nothing_more(forgotten: Vault) -> None:
    names = [backup.name for backup in forgotten.backups]
    assert forgotten.verify().outcome == "pass"
    again = forget(forgotten)
    assert (again.outcome, again.holding, again.looked_at) == ("unchanged", (), 4)
    assert [backup.name for backup in forgotten.backups] == names


def test_one_restores_without_what_was_erased_and_with_all_else(forgotten: Vault) -> None:
    elsewhere = forgotten.folder / "elsewhere.prod.db"
    forgotten.restore("1", elsewhere)
    with closing(sqlite3.connect(elsewhere)) as connection:
        kept = [row[0] for row in connection.execute("SELECT id FROM observations ORDER BY id")]
    assert kept == [f"o{n:04}" for n in range(20) if n != 7]
    assert SECRET not in elsewhere.read_bytes()


def test_logs_and_raw_files_of_it_go_too(done: tuple[Vault, ForgetReport]) -> None:
    world, report = done
    assert [(one.raw_files, one.logs) for one in report.holding] == [(1, 0), (1, 0), (1, 1)]
    assert [manifest(world, number).logs for number in (1, 2)] == [0, 0]
    assert [manifest(world, number).raw_files.count for number in (1, 3, 4)] == [1, 1, 1]
    assert report.blobs_removed == 1
    there = [(world.vault / "blobs" / name[:2] / name).exists() for name in (HASH, OTHER)]
    assert there == [False, True]


def test_those_of_one_state_share_a_file_again(done: tuple[Vault, ForgetReport]) -> None:
    one, two, *_ = sorted(done[0].vault.glob("backups/*/database.db.zst"))
    assert one.samefile(two)


def test_what_cannot_be_read_stays_and_is_named(world: Vault) -> None:
    stored = world.place(3) / "database.db.zst"
    stored.write_bytes(stored.read_bytes()[:-1] + b"?")
    report = forget(world)
    assert not report.is_complete
    assert [one.backup for one in report.unknown] == [world.place(3).name]
    assert "database.db.zst" in report.unknown[0].why
    assert world.place(3).is_dir()
    assert {name.partition("/")[0] for name in holding(world)} == {world.place(3).name}


def test_the_old_one_stays_where_the_new_one_fails_its_drill(world: Vault) -> None:
    """A raw file that stays is gone from the vault: no drill can pass."""
    (world.vault / "blobs" / OTHER[:2] / OTHER).unlink()
    before = [backup.name for backup in world.backups]
    report = forget(world)
    assert ["drill" in one.kept_because for one in report.holding] == [True, True, True]
    assert (report.outcome, report.is_complete) == ("unchanged", False)
    assert [backup.name for backup in world.backups] == before


def test_one_rewritten_by_a_run_that_was_killed_then_is_not_made_again(world: Vault) -> None:
    kept = world.folder / "kept"
    shutil.copytree(world.place(3), kept)
    name = world.place(3).name
    forget(world)
    shutil.copytree(kept, world.vault / "backups" / name)
    assert [b.manifest.sequence for b in world.backups] == [1, 2, 3, 3, 4]
    report = forget(world)
    assert [(one.backup, one.new) for one in report.holding] == [(name, f"{name}.2")]
    assert [b.manifest.sequence for b in world.backups] == [1, 2, 3, 4]


def test_one_that_is_not_proven_stands_for_nothing(world: Vault) -> None:
    kept = world.folder / "kept"
    shutil.copytree(world.place(3), kept)
    name = world.place(3).name
    forget(world)
    made = next(b for b in world.backups if b.name == f"{name}.2")
    state = replace(made.state, drill=None)
    (world.vault / "backups" / made.name / STATE).write_bytes(seal_line(state))
    shutil.copytree(kept, world.vault / "backups" / name)
    assert forget(world).holding[0].new == f"{name}.3"


def test_a_loss_after_it_is_still_noticed(forgotten: Vault) -> None:
    fill(forgotten.target, 2)
    assert forgotten.back_up().frozen


def test_an_acceptance_stays_with_it(world: Vault) -> None:
    fill(world.target, 3, first=6)
    world.back_up()
    accept_loss(world.vault, "5", "meant", world.now)
    forget(world)
    (made,) = [b for b in world.backups if b.manifest.sequence == 5]
    assert made.manifest.rewritten_at is not None
    assert made.state.accepted is not None


def test_rotation_counts_it_as_what_it_was(forgotten: Vault) -> None:
    rule = RetentionPolicy(last=1)
    report = prune_backups(forgotten.vault, forgotten.target, rule, forgotten.now, lambda _: True)
    assert not report.held
    assert [b.manifest.sequence for b in forgotten.backups] == [2, 4]  # pinned; the newest


def test_nothing_is_looked_at_where_nothing_was_erased(tmp_path: Path) -> None:
    world = small_vault(tmp_path, 2)
    world.back_up(drill=False)
    assert forget(world).outcome == "unchanged"
