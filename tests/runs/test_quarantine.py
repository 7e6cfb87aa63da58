"""Broken rows: set aside with the reason, counted, and never in the way of the others."""

import sqlite3
import traceback
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest

from neotoma_core.errors import KeyMissing
from neotoma_core.neotoma.contracts import validate
from neotoma_core.neotoma.tables import BY_NAME
from neotoma_core.recovery.recover import recover
from neotoma_core.recovery.run.named import recovery_run
from neotoma_core.recovery.run.request import RecoverRequest
from neotoma_core.report.progress import Silent
from tests.conftest import NOW, Recover
from tests.support.databases import (
    Row,
    count,
    entity,
    insert_all,
    loosen,
    make_database,
    observation,
    source,
)

SECRET = "correct-horse-battery-staple"  # noqa: S105 - planted, to be looked for


BROKEN = {
    "required value missing": {"id": "b", "entity_id": None},
    "key used twice": {"id": "good"},
}


@pytest.mark.parametrize("cells", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_row_is_set_aside_and_the_others_go_on(
    cells: dict[str, object], tmp_path: Path, run_recover: Recover
) -> None:
    target = make_database(tmp_path / "target.db")
    backup = make_database(tmp_path / "backup.db", {"observations": [observation("good")]})
    loosen(backup, "observations")
    broken = {**observation("bad", fields=f'{{"title":"{SECRET}"}}'), **cells}
    insert_all(backup, {"observations": [broken]})
    report = run_recover(target, backup)
    counts = next(c for c in report.tables if c.table == "observations")
    assert (counts.read, counts.inserted, counts.quarantined) == (2, 1, 1)
    assert count(target, "observations") == 1
    assert SECRET not in report.to_json()
    kept = pl.read_parquet(Path(report.quarantine or "") / "backup-1-observations.parquet")
    assert kept.height == 1
    assert kept["_reason"][0]


def session(user: str) -> Row:
    """Return a session of a user, which refers to one that must be there."""
    times = {"created_at": "now", "expires_at": "then"}
    return {"user_id": user, "bearer_token_hash": f"token of {user}", "pack_id": "p", **times}


def test_a_session_of_nobody_is_set_aside_and_the_targets_own_stays(tmp_path: Path) -> None:
    user = dict.fromkeys(("email", "password_hash", "password_salt", "created_at", "updated_at"))
    users = [{**dict.fromkeys(user, "x"), "id": "u"}]
    target = make_database(tmp_path / "target.db", {"sandbox_sessions": [session("nobody")]})
    backup = make_database(
        tmp_path / "backup.db",
        {
            "local_auth_users": users,
            "sandbox_sessions": [session(name) for name in ("u", "nobody", "else")],
            "observations": [observation("o1")],
        },
    )
    request = RecoverRequest(target, (backup,), tmp_path / "vault", include_auth=True)
    with recovery_run(request, NOW) as run:
        report = recover(run, lambda _: True, Silent())
    (counts,) = (c for c in report.tables if c.table == "sandbox_sessions")
    assert (counts.read, counts.inserted, counts.identical, counts.quarantined) == (3, 1, 1, 1)
    (before,) = (f for f in report.findings if f.kind == "fault-before")
    assert (before.subject, report.outcome) == ("sandbox_sessions", "published")
    assert before.detail.startswith("1 rows refer to no row of local_auth_users; it was so before")


ODD = {
    "blob where text belongs": "fields = x'7b7d'",
    "text that is no UTF-8": "fields = CAST(x'c328' AS TEXT)",
    "text that is cut": "fields = CAST(x'7b00' AS TEXT)",
    "text where a number belongs": "source_priority = 'high'",
    "a fraction where a number belongs": "source_priority = 99.5",
    "a number beyond all": "source_priority = 9e999",
    "a number where text belongs": "fields = CAST(7 AS INTEGER)",
    "a key that is bytes": "id = x'00'",
    "an entity that is bytes": "entity_id = x'00'",
    "a time that is bytes": "observed_at = x'00'",
}


@pytest.mark.parametrize("change", ODD.values(), ids=ODD)
def test_what_sqlite_stores_is_merged_as_it_is_stored(
    change: str, tmp_path: Path, run_recover: Recover
) -> None:
    target = make_database(tmp_path / "target.db")
    backup = make_database(
        tmp_path / "backup.db", {"observations": [observation("good"), observation("odd")]}
    )
    with closing(sqlite3.connect(backup)) as connection, connection:
        connection.execute(f"UPDATE observations SET {change} WHERE id = 'odd'")
    report = run_recover(target, backup)
    counts = next(c for c in report.tables if c.table == "observations")
    assert (counts.inserted, counts.quarantined) == (2, 0)
    assert read_cells(target) == read_cells(backup)
    assert run_recover(target, backup).outcome == "unchanged"


def read_cells(path: Path) -> list[tuple[str, ...]]:
    """Return each observation's cells as SQL literals, which show the storage class."""
    names = [column.name for column in BY_NAME["observations"].columns]
    cells = ", ".join(f"typeof({name}) || hex({name})" for name in names)
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"SELECT {cells} FROM observations ORDER BY id").fetchall()


def test_a_broken_row_of_the_target_stays_and_is_named(
    tmp_path: Path, run_recover: Recover
) -> None:
    target = make_database(tmp_path / "target.db", {"observations": [observation("o1")]})
    loosen(target, "observations")
    with closing(sqlite3.connect(target)) as connection, connection:
        connection.execute("UPDATE observations SET schema_version = NULL")
    backup = make_database(
        tmp_path / "backup.db", {"observations": [observation("o1"), observation("o2")]}
    )
    report = run_recover(target, backup)
    counts = next(c for c in report.tables if c.table == "observations")
    assert (counts.inserted, counts.conflict) == (1, 1)
    assert [f.subject for f in report.findings if f.kind == "broken-in-target"] == ["observations"]
    with closing(sqlite3.connect(target)) as connection:
        versions = connection.execute("SELECT id, schema_version FROM observations").fetchall()
    assert versions == [("o1", None), ("o2", "1.0")]


def test_a_secret_in_a_broken_row_is_in_no_exception() -> None:
    table = BY_NAME["observations"]
    rows = {column.name: [None, None] for column in table.columns}
    frame = pl.DataFrame(
        {**rows, "id": ["a", "b"], "fields": [SECRET, SECRET], "_rowid": [1, 2]},
        schema_overrides=dict.fromkeys(rows, pl.String),
    )
    validated = validate(table, frame)
    assert validated.rows.is_empty()
    assert SECRET not in str(validated.broken.rows())
    with pytest.raises(TypeError) as raised:
        validate(table, frame.drop("entity_id"))
    assert SECRET not in "".join(traceback.format_exception(raised.value))
    assert raised.value.__context__ is None
    assert raised.value.__cause__ is None


def test_encrypted_values_without_a_key_stop_the_run(tmp_path: Path, run_recover: Recover) -> None:
    sealed = f"{'0a' * 16}:{'0b' * 16}:{'0c' * 40}"
    target = make_database(tmp_path / "target.db")
    backup = make_database(
        tmp_path / "backup.db", {"observations": [observation("o1", fields=sealed)]}
    )
    with pytest.raises(KeyMissing, match="1 observations are encrypted"):
        run_recover(target, backup)
    assert count(target, "observations") == 0


def test_one_source_under_two_ids_is_kept_once_and_referred_to(
    tmp_path: Path, run_recover: Recover
) -> None:
    target = make_database(tmp_path / "target.db", {"sources": [source("s1", content_hash="same")]})
    backup = make_database(
        tmp_path / "backup.db",
        {
            "sources": [source("s2", content_hash="same")],
            "entities": [entity("e1")],
            "observations": [observation("o1", source_id="s2")],
        },
    )
    report = run_recover(target, backup)
    counts = {c.table: c for c in report.tables}
    assert (counts["sources"].remapped, counts["sources"].inserted) == (1, 0)
    with closing(sqlite3.connect(target)) as connection:
        assert connection.execute("SELECT id FROM sources").fetchall() == [("s1",)]
        assert connection.execute("SELECT source_id FROM observations").fetchall() == [("s1",)]
