"""Databases of a Neotoma that is newer than the known ones: named, and not broken."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from neotoma_core.erasure.erase import erase
from neotoma_core.erasure.request import EraseRequest, erase_run
from neotoma_core.errors import TargetError
from neotoma_core.report.findings import Finding
from neotoma_core.report.progress import Silent
from tests.conftest import NOW, Recover
from tests.recovery.test_inputs import facts_of
from tests.support.backing_up import PERMISSIVE
from tests.support.databases import Row, entity, insert_all, make_database, observation, read_all
from tests.support.rebuilding import check, rebuild
from tests.support.versions import NEWEST, VERSIONS, make_version

ROWS: dict[str, list[Row]] = {"entities": [entity("e1")], "observations": [observation("o1")]}


def schema(definition: str, config: str) -> dict[str, object]:
    return {
        "id": "s",
        "entity_type": "memo",
        "schema_version": "1.0",
        "schema_definition": definition,
        "reducer_config": config,
        "active": 1,
        "scope": "global",
    }


def execute(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def with_strategy(path: Path) -> None:
    config = '{"merge_policies": {"a": {"strategy": "merge_by_mood"}}}'
    insert_all(path, {"schema_registry": [schema('{"fields": {"a": {"type": "string"}}}', config)]})


def with_converter(path: Path) -> None:
    convert = '[{"from": "string", "to": "date", "function": "moon_to_date"}]'
    definition = f'{{"fields": {{"a": {{"type": "date", "converters": {convert}}}}}}}'
    insert_all(path, {"schema_registry": [schema(definition, "{}")]})


NEWER: dict[str, tuple[Callable[[Path], None], str]] = {
    "table": (lambda path: execute(path, "CREATE TABLE moods (id TEXT)"), "table moods"),
    "column": (
        lambda path: execute(path, "ALTER TABLE observations ADD COLUMN mood TEXT"),
        "column observations.mood",
    ),
    "trigger": (
        lambda path: execute(
            path, "CREATE TRIGGER kept BEFORE DELETE ON observations BEGIN SELECT 1; END"
        ),
        "trigger kept",
    ),
    "strategy": (with_strategy, "strategy merge_by_mood"),
    "converter": (with_converter, "converter moon_to_date"),
}


def newer_in(findings: tuple[Finding, ...]) -> list[Finding]:
    return [finding for finding in findings if finding.kind == "newer-release"]


@pytest.mark.parametrize("what", NEWER)
def test_what_no_known_release_has_is_named_on_every_way(
    what: str, tmp_path: Path, run_recover: Recover
) -> None:
    add, named = NEWER[what]
    backup = make_database(tmp_path / "backup.db", ROWS)
    add(backup)
    target = make_database(tmp_path / "target.db", {"observations": [observation("o2")]})
    (found,) = newer_in(run_recover(target, backup).findings)
    assert found.subject == str(backup)
    (checked,) = newer_in(check(backup).findings)
    (rebuilt,) = newer_in(rebuild(backup).findings)
    for finding in (found, checked, rebuilt):
        assert "a Neotoma newer than midden knows" in finding.detail
        assert named in finding.detail
        assert "may differ" in finding.detail


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
def test_of_no_released_version_is_that_said(version: object, tmp_path: Path) -> None:
    path = make_version(tmp_path / "neotoma.db", version, ROWS)  # type: ignore[arg-type]
    assert newer_in(check(path).findings) == []


def cut_over(path: Path, *, done: bool) -> Path:
    """Make a database as the lifecycle to come leaves it (format delta, D), before or after it."""
    make_version(path, NEWEST, ROWS)
    execute(
        path,
        "CREATE TABLE entity_lifecycle_cutovers (user_id TEXT PRIMARY KEY, at TEXT)",
        "CREATE TRIGGER entity_lifecycle_rows_stay BEFORE UPDATE OF entity_id ON observations "
        "BEGIN SELECT RAISE(ABORT, 'immutable'); END",
    )
    if done:
        execute(path, "INSERT INTO entity_lifecycle_cutovers VALUES ('u', '2026-10-01')")
    return path


def test_after_the_cutover_no_merge_begins_that_it_would_refuse(
    tmp_path: Path, run_recover: Recover
) -> None:
    target = cut_over(tmp_path / "data" / "target.db", done=True)
    backup = make_database(tmp_path / "backup.db", {"observations": [observation("o2")]})
    before = facts_of(target.parent)
    with pytest.raises(TargetError, match="lifecycle of their own, which this merge would break"):
        run_recover(target, backup)
    assert facts_of(target.parent) == before


def test_after_the_cutover_nothing_is_erased(tmp_path: Path) -> None:
    target = cut_over(tmp_path / "data" / "target.db", done=True)
    before = read_all(target)
    request = EraseRequest(target, tmp_path / "vault", observations=("o1",))
    with (
        erase_run(request, NOW) as run,
        pytest.raises(TargetError, match="which erasing would break"),
    ):
        erase(run, lambda _: True, Silent(), PERMISSIVE)
    assert read_all(target) == before


def test_before_the_cutover_rows_are_added_and_none_is_changed(
    tmp_path: Path, run_recover: Recover
) -> None:
    target = cut_over(tmp_path / "target.db", done=False)
    backup = make_database(tmp_path / "backup.db", {"observations": [observation("o2")]})
    assert run_recover(target, backup).outcome == "published"
    changed = observation("o1", observed_at="2026-03-01T00:00:00.000Z")
    other = make_database(tmp_path / "other.db", {"observations": [changed]})
    with pytest.raises(TargetError, match="which this merge would break"):
        run_recover(target, other, mode="keep-source")


def test_what_a_merge_does_not_write_does_not_matter(tmp_path: Path, run_recover: Recover) -> None:
    target = cut_over(tmp_path / "target.db", done=True)
    same = make_database(tmp_path / "same.db", ROWS)
    assert run_recover(target, same).outcome in {"unchanged", "published"}
