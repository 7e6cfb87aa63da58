"""What is erased is gone, whatever is done afterwards, and nothing else is."""

from pathlib import Path

import pytest

from neotoma_core.errors import (
    UsageError,
    VaultDamaged,
)
from neotoma_core.rebuild.rebuild import check_snapshots
from neotoma_core.rebuild.request import checking_run
from neotoma_core.report.progress import Silent
from tests.conftest import recover_into
from tests.support.after_erasing import AFTER, rebuild, recover, request, restore
from tests.support.databases import (
    entity,
    make_database,
    observation,
    read_all,
)
from tests.support.erasing import World, find_texts, find_texts_in, signs_of
from tests.support.planted import ASKED, ENTITY, name_of


def test_nothing_else_is_gone(world: World) -> None:
    before = read_all(world.target)
    report = world.erase(**ASKED["all"])
    after = read_all(world.target)
    kept = {
        name: [row for row in rows if not any(s.encode() in repr(row).encode() for s in signs)]
        for signs in (signs_of("all"),)
        for name, rows in before.items()
    }
    queues = ("substrate_events", "sqlite_sequence", "entity_snapshots")
    for name, rows in kept.items():
        if name not in queues:
            assert after[name] == rows, name
    # The snapshots of what lost an observation are those of the observations that are left.
    snapshots = {row[0]: row[4] for row in after["entity_snapshots"]}
    assert snapshots[b"ent-keep"] == b'{"title":"obs-keep-1"}'
    assert snapshots[b"ent-common"] == b'{"title":"obs-keep-4"}'
    assert (world.raw / name_of("same bytes")).exists()  # shared by two sources; one stays
    assert (world.raw / name_of("of two")).exists()
    assert report.erased_raw_files.removed == 3
    assert {f.kind for f in report.findings} == {"shared-source"}
    with checking_run(request(world), AFTER) as run:
        assert check_snapshots(run, Silent()).drifts == 0


def test_a_dry_run_leaves_everything_and_says_what_holds_the_rows(world: World) -> None:
    before = world.target.read_bytes()
    report = world.erase(dry_run=True, **ASKED["all"])
    assert report.outcome == "planned"
    assert report.asked.merged == 2
    folders = [
        f for kind in ("evidence", "reports") for f in sorted((world.vault / kind).iterdir())
    ]
    telling = [f for f in folders if any(b"-gone-" in p.read_bytes() for p in files_in(f))]
    assert [evidence.folder for evidence in report.holding] == [str(f) for f in telling]
    assert world.target.read_bytes() == before
    assert not (world.vault / "erasures.jsonl").exists()
    assert find_texts(world, *signs_of("entity"))


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_whoever_declines_keeps_everything(world: World) -> None:
    before = world.target.read_bytes()
    assert world.erase(lambda _: False, **ASKED["all"]).outcome == "planned"
    assert world.target.read_bytes() == before
    assert not (world.vault / "erasures.jsonl").exists()


def test_an_id_that_is_nowhere_is_named_or_recorded_all_the_same(world: World) -> None:
    with pytest.raises(UsageError, match="no entity ent-nowhere"):
        world.erase(entities=("ent-nowhere", ENTITY))
    with pytest.raises(UsageError, match="no observation obs-nowhere"):
        world.erase(observations=("obs-nowhere",))
    with pytest.raises(UsageError, match="no user nobody"):
        world.erase(users=("nobody",))
    report = world.erase(entities=("ent-late",), even_if_absent=True)
    assert (report.asked.absent, report.rows, report.recorded) == (1, 0, 1)
    late = make_database(
        world.folder / "late.db",
        {
            "entities": [entity("ent-late"), entity("ent-fine")],
            "observations": [observation("late", "ent-late"), observation("fine", "ent-fine")],
        },
    )
    recovery = recover_into(world.vault)(world.target, late, now=AFTER)
    assert find_texts_in(world.target, "ent-late") == []
    assert find_texts_in(world.target, "ent-fine")
    counts = {(c.table, c.skipped, c.inserted, *c.reasons) for c in recovery.tables if c.skipped}
    assert counts == {("entities", 1, 1, "erased"), ("observations", 1, 1, "erased")}


def test_a_row_is_erased_by_the_same_words_again(world: World) -> None:
    world.erase(**ASKED["entity"])
    before = read_all(world.target)
    report = world.erase(**ASKED["entity"])
    assert (report.outcome, report.recorded) == ("unchanged", 0)
    assert read_all(world.target) == before


def test_another_vault_does_not_know(world: World) -> None:
    world.erase(**ASKED["entity"])
    recover_into(world.folder / "other vault")(world.target, world.backup, now=AFTER)
    assert find_texts(world, *signs_of("entity"))


def test_a_vault_says_what_came_back_by_other_ways(world: World) -> None:
    world.erase(**ASKED["entity"])
    recover_into(world.folder / "other vault")(world.target, world.backup, now=AFTER)
    report = recover_into(world.vault)(world.target, world.backup, now=AFTER, dry_run=True)
    said = {f.subject: f.detail for f in report.findings if f.kind == "erased-in-target"}
    assert said["observations"].startswith("3 rows ")
    world.erase(again=True)
    assert find_texts(world, *signs_of("entity")) == []


def test_a_damaged_ledger_stops_everything(world: World) -> None:
    world.erase(**ASKED["entity"])
    before = world.target.read_bytes()
    ledger = world.vault / "erasures.jsonl"
    ledger.write_bytes(ledger.read_bytes().replace(b'"entities":["', b'"entities":["0', 1))
    for attempt in (recover, restore, rebuild, lambda w: w.erase(again=True)):
        with pytest.raises(VaultDamaged):
            attempt(world)
    assert world.target.read_bytes() == before
