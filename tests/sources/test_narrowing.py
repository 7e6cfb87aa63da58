"""A merge that reads only what it can touch does what one does that reads everything."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from neotoma_core.merge.policy import MergeMode, ReingestedMode
from neotoma_core.recovery import deciding
from neotoma_core.recovery.report import RecoveryReport
from neotoma_core.runs.run import Run
from neotoma_core.sources import narrowing, reading
from neotoma_core.sources.extract import Opened
from neotoma_core.sources.narrowing import Narrowing, narrow
from neotoma_core.sources.wanted import Wanted
from tests.conftest import Recover, recover_into
from tests.merge.random_databases import Rows, contents, side_by_side
from tests.support.databases import Row, entity, make_database, observation, read_all, source

KNOWN = ("entity_merges", "entity_splits", "schema_registry")
REQUIRED = {
    "entities": {"entity_type": "note", "canonical_name": "name"},
    "observations": {"entity_type": "note", "schema_version": "1"},
    "relationship_observations": {"relationship_key": "key", "relationship_type": "KNOWS"},
    "schema_registry": {"schema_definition": "{}", "reducer_config": "{}"},
}
Contents = dict[str, Rows]


@pytest.fixture
def narrowed(monkeypatch: pytest.MonkeyPatch) -> list[Narrowing]:
    """Narrow whatever the size; return what was narrowed."""
    found: list[Narrowing] = []

    def watch(run: Run, wanted: Wanted, opened: Sequence[Opened]) -> Narrowing:
        found.append(narrow(run, wanted, opened))
        return found[-1]

    monkeypatch.setattr(narrowing, "LARGE", 0)
    monkeypatch.setattr(narrowing, "FEW", 1.0)
    monkeypatch.setattr(reading, "narrow", watch)
    return found


def relate(target: Contents, backup: Contents, copied: list[bool]) -> Contents:
    """Return a backup that knows of no schema or merge of entities that the target does not.

    ``copied``: which of its rows are as the target has them, over and over.
    """
    same = {table: {row["id"]: row for row in rows} for table, rows in target.items()}
    result: Contents = {table: target[table] for table in KNOWN}
    for table in backup.keys() - set(KNOWN):
        result[table] = [
            same[table].get(row["id"], row) if copied[place % len(copied)] else row
            for place, row in enumerate(backup[table])
        ]
    pointer = ("merged_to_entity_id", "merged_at")
    result["entities"] = [
        {**row, **{name: same["entities"].get(row["id"], {}).get(name) for name in pointer}}
        for row in result["entities"]
    ]
    hashes = [(row["content_hash"], row["user_id"]) for row in result["sources"]]
    if len(set(hashes)) < len(hashes):
        result["sources"] = []
    return result


def store(path: Path, tables: Contents) -> Path:
    return make_database(
        path, {t: [complete(t, row) for row in rows] for t, rows in tables.items()}
    )


def complete(table: str, row: Row) -> Row:
    """Return a row with what its table requires."""
    required = REQUIRED.get(table, {})
    return {**row, **{name: row.get(name) or word for name, word in required.items()}}


pairs = st.tuples(contents(), contents(), st.lists(st.booleans(), min_size=1)).map(
    lambda drawn: (drawn[0], relate(*drawn))
)


@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@settings(
    max_examples=12 if settings().max_examples < 1_000 else 1_000,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking many at once takes too long
    suppress_health_check=list(HealthCheck),
)
@given(
    st.lists(pairs, min_size=4, max_size=4),
    st.sampled_from(["keep-target", "keep-source"]),
    st.sampled_from(["by-mode", "keep-earliest"]),
)
def test_it_makes_no_difference_to_any_row_or_number(
    narrowed: list[Narrowing],
    worlds: list[tuple[Contents, Contents]],
    mode: MergeMode,
    reingested: ReingestedMode,
) -> None:
    target = side_by_side([world for world, _ in worlds])
    backup = side_by_side([world for _, world in worlds])
    found = []
    for few in (1.0, -1.0):  # of nothing, none is few: then all is read
        with TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
            patch.setattr(narrowing, "FEW", few)
            patch.setattr(deciding, "MOST", -1)  # neither looks at what it does not touch
            if few < 0:
                patch.setattr(narrowing, "LARGE", 1 << 40)
            folder = Path(name)
            path = store(folder / "target.db", target)
            other = store(folder / "backup.db", backup)
            report = recover_into(folder / "vault")(path, other, mode=mode, reingested=reingested)
            found.append((numbers(report), read_all(path)))
    assert narrowed[-2].tables
    assert not narrowed[-1].tables
    (some, here), (every, there) = found
    assert some == every
    for table, kept in there.items():
        assert here[table] == kept, table


def numbers(report: RecoveryReport) -> list[object]:
    sent = report.reingested
    listed = Path(sent.file).read_text() if sent.file else None
    return [
        [(c.table, c.read, c.inserted, c.identical, c.conflict, c.moved) for c in report.tables],
        [(c.table, c.reingested, c.remapped, c.skipped, c.quarantined) for c in report.tables],
        [(d.table, d.inserted, d.updated, d.removed) for d in report.derived],
        [report.conflicts.rows, report.conflicts.undecided],
        [sent.observations, sent.kept, sent.entities_differ, listed],
        [report.outcome, report.writes, report.before, report.after],
    ]


def rows(number: int) -> dict[str, list[Row]]:
    return {
        "entities": [entity(f"e{n}") for n in range(number)],
        "observations": [observation(f"o{n}", f"e{n}") for n in range(number)],
        "sources": [source(f"s{n}") for n in range(number)],
    }


def test_rows_that_both_have_alike_are_counted_and_not_read(
    tmp_path: Path, run_recover: Recover, narrowed: list[Narrowing]
) -> None:
    target = make_database(tmp_path / "target.db", rows(10))
    report = run_recover(target, make_database(tmp_path / "backup.db", rows(12)))
    assert narrowed[0].unlike["observations"].to_list() == [11, 12]
    (observations,) = (c for c in report.tables if c.table == "observations")
    assert (observations.read, observations.inserted, observations.identical) == (12, 2, 10)
    assert report.before.observations == 10
    assert report.after.observations == 12
    assert (report.backups[0].observations, report.backups[0].adds) == (12, 2)


def test_a_row_with_another_number_is_still_the_same_row(
    tmp_path: Path, run_recover: Recover, narrowed: list[Narrowing]
) -> None:
    backup = {table: found[::-1] for table, found in rows(10).items()}
    target = make_database(tmp_path / "target.db", rows(10))
    report = run_recover(target, make_database(tmp_path / "backup.db", backup))
    assert narrowed[0].unlike["observations"].is_empty()
    assert report.tables[0].identical == 10


@pytest.mark.parametrize(
    "more",
    [
        {"entity_merges": [{"id": "m", "from_entity_id": "e1", "to_entity_id": "e2"}]},
        {"entities": [entity("e0", merged_to_entity_id="e1")]},
        {
            "schema_registry": [
                {
                    "id": "g",
                    "entity_type": "note",
                    "schema_version": "1",
                    "schema_definition": "{}",
                    "reducer_config": "{}",
                }
            ]
        },
    ],
)
def test_what_only_the_backup_knows_of_schemas_and_merges_needs_all_rows(
    more: dict[str, list[Row]], tmp_path: Path, run_recover: Recover, narrowed: list[Narrowing]
) -> None:
    target = make_database(tmp_path / "target.db", rows(5))
    run_recover(target, make_database(tmp_path / "backup.db", {**rows(5), **more}))
    assert not narrowed[0].tables


def test_a_source_of_the_same_content_is_found_by_its_further_key(
    tmp_path: Path, run_recover: Recover, narrowed: list[Narrowing]
) -> None:
    target = make_database(tmp_path / "target.db", rows(10))
    again: dict[str, list[Row]] = {
        "entities": [entity("e1")],
        "sources": [source("other", content_hash="hash-s3")],
        "observations": [observation("o-new", "e1", source_id="other")],
    }
    report = run_recover(target, make_database(tmp_path / "backup.db", again))
    assert "sources" in narrowed[0].tables
    assert [c.remapped for c in report.tables if c.table == "sources"] == [1]
    with closing(sqlite3.connect(target)) as connection:
        found = connection.execute("SELECT source_id FROM observations WHERE id = 'o-new'")
        assert found.fetchall() == [("s3",)]
