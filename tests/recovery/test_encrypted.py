"""Databases with encrypted columns: read with the key, written back encrypted, shown nowhere."""

from pathlib import Path

import pytest

from neotoma_core.errors import ConflictsFound
from neotoma_core.files.keys import KeyFile
from neotoma_core.recovery.report import RecoveryReport
from tests.conftest import Recover
from tests.neotoma.test_encryption import KEY
from tests.support.databases import (
    USER,
    Row,
    entity,
    make_database,
    observation,
    read_all,
)
from tests.support.rebuilding import rebuild
from tests.support.sealing import PLANTED, STATED, database, open_cells, query, seal, snapshots

# STATED as Node's own crypto seals it with the key of SECRET.
BY_NODE = (
    "112233445566778899aabbccddeeff00:24f60e893e3c59c1d74d9adba9a884e9:8375e7a2b336eeb21217b38c95"
    "830203230d2a0b2fcb73d6c2a22e0c6fa84a6073e16dcafbeed2de280bc4b41692cd0cf2ba9f9ae6"
)


LATER = "2026-02-02T00:00:00.000Z"


def counts_of(report: RecoveryReport, table: str = "entity_snapshots") -> tuple[int, int, int]:
    summary = next(summary for summary in report.derived if summary.table == table)
    return summary.inserted, summary.updated, summary.unchanged


def relationship(identifier: str) -> Row:
    return {
        "id": identifier,
        "relationship_key": "PART_OF:e1:e2",
        "relationship_type": "PART_OF",
        "source_entity_id": "e1",
        "target_entity_id": "e2",
        "observed_at": LATER,
        "source_priority": 100,
        "metadata": '{"note":"plain, as Neotoma keeps it"}',
        "created_at": LATER,
        "user_id": USER,
    }


@pytest.mark.parametrize("target_is_there", [False, True])
def test_an_encrypted_backup_is_recovered_and_what_is_derived_is_sealed(
    tmp_path: Path, run_recover: Recover, key: KeyFile, *, target_is_there: bool
) -> None:
    target = tmp_path / "target.db"
    if target_is_there:
        make_database(target)
    backup = database(tmp_path / "backup.db", observation("o1", fields=BY_NODE))
    report = run_recover(target, backup, key=key)
    assert report.outcome == "published"
    assert query(target, "SELECT fields FROM observations") == [(BY_NODE,)]
    assert query(target, "SELECT canonical_name FROM entity_snapshots") == [("Plan",)]
    assert open_cells(snapshots(target)) == [(STATED, '{"title":"o1","diary":"o1"}')]


def test_plain_and_sealed_observations_of_one_entity_reduce_together(
    tmp_path: Path, run_recover: Recover, key: KeyFile
) -> None:
    target = database(tmp_path / "target.db", seal("o1", '{"title":"Plan","kept":1}'))
    backup = database(
        tmp_path / "backup.db",
        observation("o2", fields='{"title":"New plan"}', observed_at=LATER),
    )
    run_recover(target, backup, key=key)
    ((snapshot, _),) = open_cells(snapshots(target))
    assert snapshot == '{"title":"New plan","kept":1}'


def test_a_sealed_deletion_deletes(tmp_path: Path, run_recover: Recover, key: KeyFile) -> None:
    target = database(tmp_path / "target.db", seal("o1", STATED))
    run_recover(target, database(tmp_path / "one.db", seal("o2", STATED)), key=key)
    assert len(snapshots(target)) == 1
    gone = seal("o3", '{"_deleted":true}', source_priority=1000, observed_at=LATER)
    run_recover(target, database(tmp_path / "two.db", gone), key=key)
    assert snapshots(target) == []


def test_relationship_snapshots_of_an_encrypted_database_are_sealed(
    tmp_path: Path, run_recover: Recover, key: KeyFile
) -> None:
    target = database(tmp_path / "target.db", seal("o1", STATED))
    backup = database(
        tmp_path / "backup.db",
        entities=[entity("e1"), entity("e2")],
        relationship_observations=[relationship("r1")],
    )
    run_recover(target, backup, key=key)
    plain = '{"note":"plain, as Neotoma keeps it"}'
    assert open_cells(snapshots(target, "relationship_snapshots")) == [(plain, '{"note":"r1"}')]
    assert query(target, "SELECT metadata FROM relationship_observations") == [(plain,)]


def test_a_second_run_changes_nothing(tmp_path: Path, run_recover: Recover, key: KeyFile) -> None:
    target = tmp_path / "target.db"
    backup = database(
        tmp_path / "backup.db",
        seal("o1", STATED),
        observation("o2", "e2"),
        entities=[entity("e1"), entity("e2")],
        relationship_observations=[relationship("r1")],
    )
    run_recover(target, backup, key=key)
    before = target.read_bytes()
    assert run_recover(target, backup, key=key).outcome == "unchanged"
    assert target.read_bytes() == before


def test_a_snapshot_with_the_same_value_keeps_its_seal(
    tmp_path: Path, run_recover: Recover, key: KeyFile
) -> None:
    target = tmp_path / "target.db"
    log = {"relationship_observations": [relationship("r1")]}
    run_recover(target, database(tmp_path / "old.db", seal("o1", STATED), **log), key=key)
    before = [snapshots(target, f"{kind}_snapshots") for kind in ("entity", "relationship")]
    log = {"relationship_observations": [{**relationship("r1"), "canonical_hash": "new"}]}
    changed = seal("o1", STATED, canonical_hash="new")
    backup = database(tmp_path / "new.db", changed, **log)
    report = run_recover(target, backup, key=key, mode="keep-source")
    assert query(target, "SELECT fields FROM observations") == [(changed["fields"],)]
    assert counts_of(report) == (0, 0, 1)
    assert counts_of(report, "relationship_snapshots") == (0, 0, 1)
    after = [snapshots(target, f"{kind}_snapshots") for kind in ("entity", "relationship")]
    assert after == before


def test_a_plain_snapshot_of_an_encrypted_database_is_sealed_once_it_changes(
    tmp_path: Path, run_recover: Recover, key: KeyFile
) -> None:
    target = tmp_path / "target.db"
    run_recover(target, database(tmp_path / "plain.db", observation("o1", fields=STATED)))
    assert PLANTED in snapshots(target)[0][0]
    run_recover(target, database(tmp_path / "new.db", seal("o2", STATED)), key=key)
    assert [said for said, _ in open_cells(snapshots(target))] == [STATED]


def test_equal_values_under_different_seals_are_no_conflict(
    tmp_path: Path, run_recover: Recover, key: KeyFile
) -> None:
    fragment: Row = {"id": "f1", "entity_type": "note", "fragment_key": "k", "user_id": USER}

    def copy(name: str, *fields: str) -> Path:
        rows = [observation(f"o{n}", fields=cell) for n, cell in enumerate(fields)]
        more = {**fragment, "fragment_value": KEY.seal(f'"{PLANTED}"')}
        return database(tmp_path / name, *rows, raw_fragments=[more])

    target = copy("target.db", KEY.seal(STATED), STATED, KEY.seal(STATED))
    backup = copy("backup.db", KEY.seal(STATED), KEY.seal(STATED), STATED)
    rebuild(target, key=key)
    before = read_all(target)
    report = run_recover(target, backup, key=key, mode="safe")
    counts = {c.table: c.identical for c in report.tables if c.read}
    assert counts == {"entities": 1, "observations": 3, "raw_fragments": 1}
    assert (report.outcome, read_all(target)) == ("unchanged", before)


def test_different_values_under_seals_are_a_conflict(
    tmp_path: Path, run_recover: Recover, key: KeyFile
) -> None:
    target = database(tmp_path / "target.db", seal("o1", STATED))
    other = seal("o1", '{"title":"Other"}')
    backup = database(tmp_path / "backup.db", other)
    with pytest.raises(ConflictsFound):
        run_recover(target, backup, key=key, mode="safe")
    run_recover(target, backup, key=key, mode="keep-source")
    assert query(target, "SELECT fields FROM observations") == [(other["fields"],)]
    assert [said for said, _ in open_cells(snapshots(target))] == ['{"title":"Other"}']


def test_a_key_alone_encrypts_nothing(tmp_path: Path, run_recover: Recover, key: KeyFile) -> None:
    target = database(tmp_path / "target.db", observation("o1", fields=STATED))
    same = seal("o1", STATED)
    backup = database(tmp_path / "backup.db", same, observation("o2", fields=STATED))
    run_recover(target, backup, key=key)
    assert snapshots(target) == [(STATED, '{"title":"o1","diary":"o1"}')]


def test_a_plain_database_that_gains_sealed_rows_keeps_their_secrets(
    tmp_path: Path, run_recover: Recover, key: KeyFile
) -> None:
    target = database(tmp_path / "target.db", observation("o1", "e2"))
    run_recover(target, database(tmp_path / "backup.db", seal("o2", STATED)), key=key)
    assert {said for said, _ in open_cells(snapshots(target))} == {STATED, '{"title":"o1"}'}


def test_a_key_file_that_nothing_needs_is_not_read(tmp_path: Path, run_recover: Recover) -> None:
    target = make_database(tmp_path / "target.db")
    backup = database(tmp_path / "backup.db", observation("o1"))
    assert run_recover(target, backup, key=KeyFile(tmp_path / "none")).outcome == "published"
