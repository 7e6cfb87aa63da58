"""Schemas from a file: used for what no registry of the run describes, also when recovering."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from neotoma_core.recovery.recover import recover
from neotoma_core.recovery.run.named import recovery_run
from neotoma_core.recovery.run.request import RecoverRequest
from neotoma_core.report.progress import Silent
from tests.support.databases import entity, make_database, observation

NOTE = {
    "entity_type": "note",
    "schema_version": "3.0",
    "schema_definition": {"fields": {"title": {"type": "string"}}},
    "reducer_config": {"merge_policies": {}},
}


def test_a_recovery_reduces_by_the_schemas_of_a_file(tmp_path: Path) -> None:
    schemas = tmp_path / "schemas.json"
    schemas.write_text(json.dumps([NOTE]))  # noqa: TID251 - a file somebody else wrote
    fields = '{"title":"kept","other":"projected away"}'
    backup = make_database(
        tmp_path / "backup.db",
        {"entities": [entity("e1")], "observations": [observation("o1", fields=fields)]},
    )
    target = tmp_path / "target.db"
    request = RecoverRequest(target, (backup,), tmp_path / "vault", schemas=schemas)
    with recovery_run(request, datetime(2026, 3, 12, tzinfo=UTC)) as run:
        report = recover(run, lambda _: True, Silent())
    with closing(sqlite3.connect(target)) as connection:
        rows = connection.execute("SELECT snapshot, schema_version FROM entity_snapshots")
        assert rows.fetchall() == [('{"title":"kept"}', "3.0")]
    assert [finding for finding in report.findings if finding.kind == "no-schema"] == []
