"""Rebuilding snapshots: what differs from the log is written again, and nothing else."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from neotoma_core.errors import (
    KeyMissing,
    TargetChanged,
    TargetError,
    TargetLocked,
    UsageError,
)
from neotoma_core.report.progress import Silent
from tests.conftest import NOW
from tests.support.databases import USER, count, read_all
from tests.support.rebuilding import check, digest, drift_of, execute, rebuild, rowids, snapshot_of
from tests.support.restoring import restore_evidence

Small = Callable[..., Path]


def test_only_rows_that_differ_are_written(small: Path) -> None:
    before = rowids(small)
    execute(small, "UPDATE entity_snapshots SET snapshot = '{}' WHERE entity_id = 'e1'")
    assert rebuild(small).writes == 1
    assert {name for name, row in rowids(small).items() if before[name] != row} == {"e1"}
    assert snapshot_of(small, "e1") == '{"title":"o2"}'


def test_a_tombstoned_entity_has_no_snapshot(small: Path) -> None:
    with closing(sqlite3.connect(small, isolation_level=None)) as connection:
        connection.execute(
            "INSERT INTO observations (id, entity_id, entity_type, schema_version, observed_at, "
            "source_priority, fields, user_id) VALUES ('gone', 'e3', 'note', '1.0', "
            "'2026-02-03T00:00:00.000Z', 1000, '{\"_deleted\":true}', ?)",
            (USER,),
        )
    (item,) = check(small).drifted
    assert (item.kind, item.id, item.reason) == ("unexpected", "e3", "deleted")
    rebuild(small)
    assert snapshot_of(small, "e3") is None


def test_a_merged_away_entity_that_still_has_observations_has_no_snapshot(small: Path) -> None:
    execute(small, "UPDATE entities SET merged_to_entity_id = 'e1' WHERE id = 'e3'")
    report = rebuild(small)
    assert [d.removed for d in report.derived] == [1, 0]
    assert snapshot_of(small, "e3") is None


def test_unreadable_fields_are_found_and_the_rest_counts(small: Path) -> None:
    execute(
        small,
        "UPDATE observations SET fields = 'not json' WHERE id = 'o2'",
        "UPDATE observations SET fields = NULL WHERE id = 'o4'",
    )
    report = rebuild(small)
    found = {finding.subject for finding in report.findings if finding.kind == "unreadable"}
    assert found == {"o2", "o4"}
    assert snapshot_of(small, "e1") == '{"title":"o1"}'
    assert snapshot_of(small, "e3") == '{"title":"o4"}'  # nothing better is known


def test_a_cell_of_another_type_counts_as_what_it_is(small: Path) -> None:
    execute(
        small,
        "UPDATE observations SET source_priority = 'high' WHERE id = 'o4'",
        "DELETE FROM entity_snapshots",
    )
    report = rebuild(small)
    assert [f.kind for f in report.findings] == ["no-schema", "no-schema"]
    assert snapshot_of(small, "e3") == '{"title":"o4"}'


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({"entities": ("e3",)}, {"e3"}),
        ({"types": ("task",)}, {"e2"}),
        ({"entities": ("e3",), "types": ("task",)}, {"e2", "e3"}),
    ],
)
def test_a_rebuild_can_be_narrowed(
    options: dict[str, tuple[str, ...]], kept: set[str], small: Path
) -> None:
    execute(small, "DELETE FROM entity_snapshots", "DELETE FROM relationship_snapshots")
    report = rebuild(small, lambda _: True, **options)
    assert report.narrowed
    assert set(rowids(small)) == kept
    assert count(small, "relationship_snapshots") == ("e2" in kept)


def test_an_unknown_entity_is_named(small: Path) -> None:
    with pytest.raises(UsageError, match="no entity e9"):
        rebuild(small, entities=("e9",))


def test_declined_nothing_is_written(small: Path) -> None:
    execute(small, "DELETE FROM entity_snapshots")
    before = digest(small)
    report = rebuild(small, confirm=lambda plan: plan.writes == 0)
    assert report.outcome == "planned"
    assert digest(small) == before


def test_the_undo_puts_the_target_back(small: Path) -> None:
    execute(small, "DELETE FROM entity_snapshots")
    before = read_all(small)
    report = rebuild(small)
    assert report.undo is not None
    assert report.evidence is not None
    restore_evidence(Path(report.evidence), small, small.parent / "vault", NOW, Silent())
    assert read_all(small) == before


def test_a_target_that_changes_meanwhile_is_left_alone(small: Path) -> None:
    execute(small, "DELETE FROM entity_snapshots")

    def meddle(_: object) -> bool:
        execute(small, "UPDATE entities SET canonical_name = 'other' WHERE id = 'e1'")
        return True

    with pytest.raises(TargetChanged):
        rebuild(small, confirm=meddle)
    assert rowids(small) == {}


def test_a_locked_target_is_left_alone(small: Path) -> None:
    execute(small, "DELETE FROM entity_snapshots")
    with closing(sqlite3.connect(small, isolation_level=None)) as connection:

        def lock(_: object) -> bool:
            connection.execute("BEGIN IMMEDIATE")
            return True

        with pytest.raises(TargetLocked):
            rebuild(small, confirm=lock)


def test_a_target_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="no such file"):
        check(tmp_path / "absent.db")


def test_encrypted_observations_without_a_key_stop_the_run(small: Path) -> None:
    sealed = ":".join(("0" * 32, "0" * 32, "ab"))
    execute(small, f"UPDATE observations SET fields = '{sealed}' WHERE id = 'o1'")
    before = digest(small)
    with pytest.raises(KeyMissing):
        rebuild(small)
    assert digest(small) == before


def test_a_write_ahead_log_is_read_and_survives(small: Path) -> None:
    execute(small, "PRAGMA journal_mode = WAL")
    with closing(sqlite3.connect(small, isolation_level=None)) as connection:
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("DELETE FROM entity_snapshots WHERE entity_id = 'e1'")
        assert drift_of(check(small)) == {("missing", "e1")}
        assert rebuild(small).writes == 1
    assert check(small).drifts == 0


def test_no_stored_value_is_in_the_report(small: Path) -> None:
    execute(
        small,
        "UPDATE observations SET fields = '{\"title\":\"s3cret\"}' WHERE id = 'o4'",
        "UPDATE observations SET fields = '[\"s3cret\"]' WHERE id = 'o3'",
    )
    report = rebuild(small)
    assert report.outcome == "rebuilt"
    assert "s3cret" not in report.to_json()
