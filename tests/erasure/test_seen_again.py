"""Nothing that was erased is seen again, whatever is done afterwards."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing

import polars as pl
import pytest

from neotoma_core.rebuild.as_of import Export, export_snapshots
from neotoma_core.rebuild.report import RebuildReport
from neotoma_core.rebuild.request import checking_run
from neotoma_core.report.progress import Silent
from neotoma_core.snapshots.explaining import UNKNOWN
from tests.recovery.test_inputs import server_on
from tests.support.after_erasing import AFTER, rebuild, recover, request, restore
from tests.support.databases import (
    count,
    entity,
    insert,
    observation,
    read_all,
)
from tests.support.erasing import World, find_texts, signs_of
from tests.support.planted import ASKED, ENTITY, MARKS, PLANTED, put, store, title_fields


def nothing(_: World) -> None:
    """Leave it at that."""


def twice(world: World) -> None:
    before = world.target.read_bytes()
    assert world.erase(again=True).outcome == "unchanged"
    assert world.target.read_bytes() == before


def keep_target(world: World) -> None:
    recover(world)


def keep_source(world: World) -> None:
    world.execute(world.target, "UPDATE observations SET fields = '{}' WHERE id = 'obs-keep-1'")
    recover(world, mode="keep-source")


def safe(world: World) -> None:
    recover(world, mode="safe")


def keep_earliest(world: World) -> None:
    recover(world, reingested="keep-earliest")


def into_a_fresh_target(world: World) -> None:
    world.target.unlink()
    shutil.rmtree(world.raw)
    recover(world)
    assert count(world.target, "observations") > 3


def move_in_the_backup(world: World) -> None:
    """The backup gave the observations to another entity before."""
    world.execute(
        world.backup,
        "UPDATE observations SET entity_id = 'ent-other', source_id = NULL, "
        "interpretation_id = NULL, user_id = NULL",
    )
    recover(world)


def more_in_the_backup(world: World) -> None:
    """The backup knows more of what was erased than the target ever did."""
    mark, text = "gone-e gone-o gone-u", " ".join(PLANTED.values())
    raw = put(world.backup.parent / "sources", text)
    with closing(sqlite3.connect(world.backup, isolation_level=None)) as connection:
        for row in (
            entity(f"ent {mark}", merged_to_entity_id=ENTITY),
            entity(f"ent 2 {mark}", merged_to_entity_id=f"ent {mark}"),
        ):
            insert(connection, "entities", row)
        insert(connection, "sources", store(f"src {mark}", text))
        insert(
            connection,
            "observations",
            observation(
                f"obs {mark}", f"ent 2 {mark}", source_id=f"src {mark}", fields=title_fields(text)
            ),
        )
        connection.execute(
            "INSERT INTO interpretations (id, source_id) VALUES (?, ?)",
            (f"int {mark}", f"src {mark}"),
        )
    recover(world)
    gone = not any(ENTITY in str(row) for row in read_all(world.target)["entities"])
    assert (world.raw / raw).exists() is not gone


def restore_over_nothing(world: World) -> None:
    world.target.unlink()
    restore(world)


def rebuild_from_nothing(world: World) -> None:
    world.execute(
        world.target, "DELETE FROM entity_snapshots", "DELETE FROM relationship_snapshots"
    )
    rebuild(world)
    assert count(world.target, "entity_snapshots") > 1


def export(world: World) -> None:
    out = world.target.parent / "sources" / "as-of.parquet"  # where the search looks
    with checking_run(request(world), AFTER) as run:
        export_snapshots(run, Export(out, "2027-01-01"), Silent())
    assert pl.read_parquet(out).height > 1
    out.with_suffix(".json").write_text(pl.read_parquet(out).write_json())
    out.unlink()


def send_again(world: World) -> None:
    """An agent, or a program that knows no ledger, writes the rows once more."""
    with closing(sqlite3.connect(world.target, isolation_level=None)) as connection:
        connection.execute("ATTACH ? AS old", (str(world.backup),))
        for table in ("sources", "entities", "observations", "raw_fragments", "entity_snapshots"):
            connection.execute(f"INSERT OR REPLACE INTO main.{table} SELECT * FROM old.{table}")
    shutil.copytree(world.backup.parent / "sources", world.raw, dirs_exist_ok=True)
    world.erase(again=True, now=AFTER)


def send_again_and_rebuild(world: World) -> None:
    """Before the rows are erased once more, no snapshot tells of them."""
    with closing(sqlite3.connect(world.target, isolation_level=None)) as connection:
        connection.execute("ATTACH ? AS old", (str(world.backup),))
        for table in ("sources", "entities", "observations", "relationship_observations"):
            connection.execute(f"INSERT OR IGNORE INTO main.{table} SELECT * FROM old.{table}")
        for table in ("entity_snapshots", "relationship_snapshots"):
            connection.execute(f"INSERT OR REPLACE INTO main.{table} SELECT * FROM old.{table}")
    report = rebuild(world)
    assert {f.kind for f in report.findings} >= {"erased-in-target"}
    assert set(reasons_of_drift(report)) == {UNKNOWN, "erased"}
    told = [what for what, mark in MARKS.items() if mark in snapshot_text(world)]
    assert told == []
    world.erase(again=True, now=AFTER)


def reasons_of_drift(report: RebuildReport) -> list[str | None]:
    return [item.reason for item in report.drifted]


def snapshot_text(world: World) -> str:
    tables = read_all(world.target)
    return str(tables["entity_snapshots"]) + str(tables["relationship_snapshots"])


def a_server_wrote_since(world: World) -> None:
    """The old rows come in by a backup while the target has a log."""
    with server_on(world.target):
        recover(world)


SEPARATELY = (nothing, keep_target, into_a_fresh_target, move_in_the_backup, restore, rebuild)


TOGETHER = (
    twice,
    keep_source,
    safe,
    keep_earliest,
    more_in_the_backup,
    restore_over_nothing,
    rebuild_from_nothing,
    export,
    send_again,
    send_again_and_rebuild,
    a_server_wrote_since,
)


SCENARIOS = [(what, then) for then in SEPARATELY for what in MARKS]
SCENARIOS += [("all", then) for then in TOGETHER]


@pytest.mark.parametrize(("what", "then"), SCENARIOS, ids=lambda p: getattr(p, "__name__", p))
def test_nothing_erased_is_seen_again(
    what: str, then: Callable[[World], object], world: World
) -> None:
    assert all(find_texts(world, sign) for sign in signs_of(what))
    report = world.erase(**ASKED[what])
    assert report.outcome == "erased"
    assert {check.name for check in report.checks} >= {"accounted", "gone", "intact"}
    then(world)
    assert find_texts(world, *signs_of(what)) == []
