"""Databases with encrypted columns: read with the key, written back encrypted, shown nowhere."""

import logging
import sqlite3
import traceback
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path

import pytest

from neotoma_core.errors import ConflictsFound, KeyMissing, KeyWrong, MiddenError
from neotoma_core.files.keys import KeyFile
from neotoma_core.neotoma.encryption.key import derive_data_key
from neotoma_core.publication.transaction import publish
from neotoma_core.recovery.report import RecoveryReport
from tests.conftest import Recover
from tests.neotoma.test_encryption import KEY, KEY_HEX, SECRET
from tests.support.databases import (
    USER,
    Row,
    entity,
    insert_all,
    loosen,
    make_database,
    observation,
    read_all,
)
from tests.support.rebuilding import rebuild

PLANTED = "planted-harbour-lantern-77"
STATED = f'{{"title":"Plan","diary":"{PLANTED}"}}'
# STATED as Node's own crypto seals it with the key of SECRET.
BY_NODE = (
    "112233445566778899aabbccddeeff00:24f60e893e3c59c1d74d9adba9a884e9:8375e7a2b336eeb21217b38c95"
    "830203230d2a0b2fcb73d6c2a22e0c6fa84a6073e16dcafbeed2de280bc4b41692cd0cf2ba9f9ae6"
)
LATER = "2026-02-02T00:00:00.000Z"
OTHER_KEY = derive_data_key(bytes(32))


@pytest.fixture
def key(tmp_path: Path) -> KeyFile:
    return key_file(tmp_path, SECRET)


def key_file(folder: Path, secret: bytes) -> KeyFile:
    path = folder / "keys" / f"{secret[:2].hex()}.key"
    path.parent.mkdir(exist_ok=True)
    path.write_text(secret.hex())
    return KeyFile(path)


def database(path: Path, *observations: Row, **tables: Iterable[Row]) -> Path:
    return make_database(path, {"entities": [entity("e1")], "observations": observations, **tables})


def sealed(identifier: str, fields: str, owner: str = "e1", **cells: object) -> Row:
    return observation(identifier, owner, fields=KEY.seal(fields), **cells)


def query(path: Path, sql: str) -> list[tuple[str, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


def snapshots(path: Path, table: str = "entity_snapshots") -> list[tuple[str, ...]]:
    return query(path, f"SELECT snapshot, provenance FROM {table} ORDER BY 1, 2")


def opened(cells: Iterable[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Open all cells; SealBroken where one is plain."""
    return [tuple(KEY.open(cell) for cell in row) for row in cells]


def derived(report: RecoveryReport, table: str = "entity_snapshots") -> tuple[int, int, int]:
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
    assert opened(snapshots(target)) == [(STATED, '{"title":"o1","diary":"o1"}')]


def test_plain_and_sealed_observations_of_one_entity_reduce_together(
    tmp_path: Path, run_recover: Recover, key: KeyFile
) -> None:
    target = database(tmp_path / "target.db", sealed("o1", '{"title":"Plan","kept":1}'))
    backup = database(
        tmp_path / "backup.db",
        observation("o2", fields='{"title":"New plan"}', observed_at=LATER),
    )
    run_recover(target, backup, key=key)
    ((snapshot, _),) = opened(snapshots(target))
    assert snapshot == '{"title":"New plan","kept":1}'


def test_a_sealed_deletion_deletes(tmp_path: Path, run_recover: Recover, key: KeyFile) -> None:
    target = database(tmp_path / "target.db", sealed("o1", STATED))
    run_recover(target, database(tmp_path / "one.db", sealed("o2", STATED)), key=key)
    assert len(snapshots(target)) == 1
    gone = sealed("o3", '{"_deleted":true}', source_priority=1000, observed_at=LATER)
    run_recover(target, database(tmp_path / "two.db", gone), key=key)
    assert snapshots(target) == []


def test_relationship_snapshots_of_an_encrypted_database_are_sealed(
    tmp_path: Path, run_recover: Recover, key: KeyFile
) -> None:
    target = database(tmp_path / "target.db", sealed("o1", STATED))
    backup = database(
        tmp_path / "backup.db",
        entities=[entity("e1"), entity("e2")],
        relationship_observations=[relationship("r1")],
    )
    run_recover(target, backup, key=key)
    plain = '{"note":"plain, as Neotoma keeps it"}'
    assert opened(snapshots(target, "relationship_snapshots")) == [(plain, '{"note":"r1"}')]
    assert query(target, "SELECT metadata FROM relationship_observations") == [(plain,)]


def test_a_second_run_changes_nothing(tmp_path: Path, run_recover: Recover, key: KeyFile) -> None:
    target = tmp_path / "target.db"
    backup = database(
        tmp_path / "backup.db",
        sealed("o1", STATED),
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
    run_recover(target, database(tmp_path / "old.db", sealed("o1", STATED), **log), key=key)
    before = [snapshots(target, f"{kind}_snapshots") for kind in ("entity", "relationship")]
    log = {"relationship_observations": [{**relationship("r1"), "canonical_hash": "new"}]}
    changed = sealed("o1", STATED, canonical_hash="new")
    backup = database(tmp_path / "new.db", changed, **log)
    report = run_recover(target, backup, key=key, mode="keep-source")
    assert query(target, "SELECT fields FROM observations") == [(changed["fields"],)]
    assert derived(report) == (0, 0, 1)
    assert derived(report, "relationship_snapshots") == (0, 0, 1)
    after = [snapshots(target, f"{kind}_snapshots") for kind in ("entity", "relationship")]
    assert after == before


def test_a_plain_snapshot_of_an_encrypted_database_is_sealed_once_it_changes(
    tmp_path: Path, run_recover: Recover, key: KeyFile
) -> None:
    target = tmp_path / "target.db"
    run_recover(target, database(tmp_path / "plain.db", observation("o1", fields=STATED)))
    assert PLANTED in snapshots(target)[0][0]
    run_recover(target, database(tmp_path / "new.db", sealed("o2", STATED)), key=key)
    assert [said for said, _ in opened(snapshots(target))] == [STATED]


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
    target = database(tmp_path / "target.db", sealed("o1", STATED))
    other = sealed("o1", '{"title":"Other"}')
    backup = database(tmp_path / "backup.db", other)
    with pytest.raises(ConflictsFound):
        run_recover(target, backup, key=key, mode="safe")
    run_recover(target, backup, key=key, mode="keep-source")
    assert query(target, "SELECT fields FROM observations") == [(other["fields"],)]
    assert [said for said, _ in opened(snapshots(target))] == ['{"title":"Other"}']


def test_a_key_alone_encrypts_nothing(tmp_path: Path, run_recover: Recover, key: KeyFile) -> None:
    target = database(tmp_path / "target.db", observation("o1", fields=STATED))
    same = sealed("o1", STATED)
    backup = database(tmp_path / "backup.db", same, observation("o2", fields=STATED))
    run_recover(target, backup, key=key)
    assert snapshots(target) == [(STATED, '{"title":"o1","diary":"o1"}')]


def test_a_plain_database_that_gains_sealed_rows_keeps_their_secrets(
    tmp_path: Path, run_recover: Recover, key: KeyFile
) -> None:
    target = database(tmp_path / "target.db", observation("o1", "e2"))
    run_recover(target, database(tmp_path / "backup.db", sealed("o2", STATED)), key=key)
    assert {said for said, _ in opened(snapshots(target))} == {STATED, '{"title":"o1"}'}


def test_a_key_file_that_nothing_needs_is_not_read(tmp_path: Path, run_recover: Recover) -> None:
    target = make_database(tmp_path / "target.db")
    backup = database(tmp_path / "backup.db", observation("o1"))
    assert run_recover(target, backup, key=KeyFile(tmp_path / "none")).outcome == "published"


def target_sealed_otherwise(folder: Path) -> tuple[Path, Path]:
    target = database(folder / "target.db", observation("o1", fields=OTHER_KEY.seal(STATED)))
    return target, database(folder / "backup.db", sealed("o2", STATED))


def backup_sealed_otherwise(folder: Path) -> tuple[Path, Path]:
    backup = database(
        folder / "backup.db",
        *(sealed(f"o{number}", STATED) for number in range(3)),
        observation("x", fields=OTHER_KEY.seal(STATED)),
    )
    return database(folder / "target.db", sealed("o9", STATED)), backup


def snapshot_sealed_otherwise(folder: Path) -> tuple[Path, Path]:
    snapshot: Row = {
        "entity_id": "e1",
        "entity_type": "note",
        "schema_version": "1.0",
        "snapshot": OTHER_KEY.seal(STATED),
    }
    target = database(folder / "target.db", entity_snapshots=[snapshot])
    return target, database(folder / "backup.db", observation("o1"))


SEALED_OTHERWISE = [target_sealed_otherwise, backup_sealed_otherwise, snapshot_sealed_otherwise]


@pytest.mark.parametrize("databases", SEALED_OTHERWISE, ids=lambda build: build.__name__)
@pytest.mark.parametrize("with_key", [True, False], ids=["wrong key", "no key"])
def test_without_the_right_key_the_run_is_refused_and_the_target_untouched(
    databases: Callable[[Path], tuple[Path, Path]],
    tmp_path: Path,
    run_recover: Recover,
    key: KeyFile,
    *,
    with_key: bool,
) -> None:
    target, backup = databases(tmp_path)
    before = target.read_bytes(), target.stat().st_mtime_ns
    with pytest.raises(KeyWrong if with_key else KeyMissing) as raised:
        run_recover(target, backup, key=key if with_key else None)
    assert (target.read_bytes(), target.stat().st_mtime_ns) == before
    assert raised.value.exit_code == 12
    assert_nothing_shown(raised.value)
    assert_in_no_file(tmp_path / "vault")


def test_a_wrong_key_creates_no_target(tmp_path: Path, run_recover: Recover) -> None:
    target = tmp_path / "target.db"
    backup = database(tmp_path / "backup.db", sealed("o1", STATED))
    with pytest.raises(KeyWrong, match=r"backup\.db: the key does not open 1 of 1"):
        run_recover(target, backup, key=key_file(tmp_path, bytes(32)))
    assert not target.exists()


def assert_nothing_shown(error: MiddenError) -> None:
    shown = "".join(traceback.format_exception(error)) + repr(vars(error))
    assert not [secret for secret in (PLANTED, KEY_HEX, SECRET.hex()) if secret in shown]


def assert_in_no_file(folder: Path) -> None:
    assert files_with_secrets(folder) == []


def files_with_secrets(folder: Path) -> list[str]:
    secret_bytes = [PLANTED.encode(), SECRET, bytes.fromhex(KEY_HEX)]
    secret_bytes += [value.hex().encode() for value in secret_bytes]
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".key"]
    assert files
    return sorted(
        path.name for path in files if any(secret in path.read_bytes() for secret in secret_bytes)
    )


def files_while_publishing(monkeypatch: pytest.MonkeyPatch, folder: Path) -> list[list[str]]:
    """Return a list that gains the files with secrets, at the moment the target is written."""
    found: list[list[str]] = []

    def looked(*given: object) -> None:
        assert list(folder.rglob("staging.db"))
        assert list(folder.rglob("observations.arrow"))
        found.append(files_with_secrets(folder))
        publish(*given)  # type: ignore[arg-type]  # handed on as given

    monkeypatch.setattr("neotoma_core.recovery.applying.publish", looked)
    return found


def test_neither_plaintext_nor_key_is_in_any_file_or_report(
    tmp_path: Path,
    run_recover: Recover,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    target = database(tmp_path / "target.db", sealed("o1", STATED))
    in_conflict, broken = sealed("o1", '{"title":"Other"}'), sealed("o2", STATED, entity_id=None)
    backup = database(tmp_path / "backup.db", in_conflict, sealed("o3", STATED))
    loosen(backup, "observations")
    insert_all(backup, {"observations": [broken]})
    caplog.set_level(logging.DEBUG)
    found = files_while_publishing(monkeypatch, tmp_path)
    report = run_recover(target, backup, key=key_file(tmp_path, SECRET))
    assert (report.outcome, report.conflicts.rows) == ("published", 1)
    assert report.quarantine
    assert [said for said, _ in opened(snapshots(target))] == [STATED]
    assert found == [[]]
    assert_in_no_file(tmp_path)
    shown = report.to_json() + "".join(capfd.readouterr()) + caplog.text
    assert not [secret for secret in (PLANTED, KEY_HEX, SECRET.hex()) if secret in shown]


def test_the_search_for_plaintext_finds_it_where_it_is(
    tmp_path: Path, run_recover: Recover, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = database(tmp_path / "target.db", observation("o1", fields=STATED))
    backup = database(tmp_path / "backup.db", observation("o2", fields=STATED))
    found = files_while_publishing(monkeypatch, tmp_path / "vault")
    run_recover(target, backup)
    (names,) = found
    assert {"observations.arrow", "staging.db", "target.db", "backup.db"} <= set(names)
    assert "target.db" in files_with_secrets(tmp_path)
