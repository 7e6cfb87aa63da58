"""The conformance corpus through a whole recovery: into nothing, with the registry of the input."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.conformance.cases import CASES, Case
from tests.conftest import Recover
from tests.support.compared import differences


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_snapshot_of_the_corpus_comes_out_of_a_recovery(
    case: Case, tmp_path: Path, run_recover: Recover
) -> None:
    target = tmp_path / "target.db"
    report = run_recover(target, case.unpack(tmp_path / "input.db"), rules=case.rules.name)
    with closing(sqlite3.connect(target)) as connection:
        pointing = "SELECT id, merged_to_entity_id FROM entities WHERE merged_to_entity_id <> ''"
        merged = {entity for pair in connection.execute(pointing) for entity in pair}
    different = [
        key
        for table in ("entity_snapshots", "relationship_snapshots")
        for key in differences(target, table, case.file(table))
        if not merged & {*key.split()[0].split(":")}  # survivors get what was left behind
    ]
    assert different == []
    named = {found.subject for found in report.findings if found.kind == "reduction-fails"}
    assert case.failing is None or named == case.failing
