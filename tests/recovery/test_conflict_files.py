"""What a recovery keeps for somebody to decide, and what counts as decided."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest

from neotoma_core.errors import ConflictsFound, UsageError
from neotoma_core.files.keys import KeyFile
from neotoma_core.merge.policy import MergePolicy
from neotoma_core.recovery.recover import plan_only
from neotoma_core.recovery.report import RecoveryReport
from neotoma_core.recovery.run.named import recovery_run
from neotoma_core.recovery.run.request import RecoverRequest
from neotoma_core.report.progress import Silent
from tests.conftest import NOW
from tests.neotoma.test_encryption import KEY
from tests.support.databases import Row, entity, make_database, observation

Lines = list[dict[str, Any]]


@pytest.fixture
def asked(tmp_path: Path) -> RecoverRequest:
    """Two backups that contradict the target in one row, and say the same there."""

    def copy(name: str, *rows: Row) -> Path:
        tables = {"entities": [entity("e1")], "observations": rows}
        return make_database(tmp_path / name, tables)

    def says(title: str) -> Row:
        return observation("o1", fields=f'{{"title":"{title}"}}')

    target = copy("target.db", says("here"), observation("alike"))
    backups = [
        copy(f"b{number}.db", says("there"), observation("alike"), observation(f"new{number}"))
        for number in range(2)
    ]
    return RecoverRequest(target, tuple(backups), tmp_path / "vault", MergePolicy("keep-target"))


def plan(request: RecoverRequest) -> RecoveryReport:
    with recovery_run(request, NOW) as run:
        return plan_only(run, Silent())


def lines(request: RecoverRequest, name: str = "conflicts") -> Lines:
    (found,) = (request.vault / "reports").glob(f"*/{name}.jsonl")
    return [orjson.loads(line) for line in found.read_bytes().splitlines()]


def table(request: RecoverRequest, name: str = "conflicts") -> pl.DataFrame:
    (found,) = (request.vault / "reports").glob(f"*/{name}.parquet")
    return pl.read_parquet(found)


def decide(request: RecoverRequest, records: Lines) -> RecoverRequest:
    file = request.vault.parent / "decided.jsonl"
    file.write_bytes(b"\n".join(map(orjson.dumps, records)))
    return replace(request, decisions=file)


def test_each_row_is_one_entry_with_the_values_of_both_sides(asked: RecoverRequest) -> None:
    report = plan(asked)
    found = lines(asked)
    assert [(r["backup"], r["key"], r["against"]) for r in found] == [
        ("backup-1", "o1", "target"),
        ("backup-2", "o1", "target"),
    ]
    assert found[0]["values"] == [
        {"column": "fields", "target": {"title": "here"}, "source": {"title": "there"}}
    ]
    assert (found[0]["keep"], found[0]["otherwise"], found[0]["because"]) == (
        None,
        "target",
        "mode",
    )
    parquet = table(asked)
    assert parquet["key"].to_list() == ["o1", "o1"]
    assert parquet["values"][0].to_list()[0]["source"] == '{"title":"there"}'
    assert (report.conflicts.file or "").endswith("conflicts.jsonl")
    assert "there" not in report.to_json()


def test_without_values_none_is_kept(asked: RecoverRequest) -> None:
    plan(replace(asked, values=False))
    reports = asked.vault / "reports"
    kept = [path for path in reports.rglob("*") if path.is_file()]
    assert kept
    assert not any(b"there" in path.read_bytes() for path in kept)
    assert [row["values"] for row in lines(asked)] == [None, None]


def test_what_is_encrypted_in_a_database_is_not_kept_in_the_clear(
    tmp_path: Path, key: KeyFile
) -> None:
    request = of_two(
        tmp_path,
        observation("o1", fields=KEY.seal('{"title":"here"}'), schema_version="1"),
        observation("o1", fields=KEY.seal('{"title":"there"}'), schema_version="2"),
    )
    plan(replace(request, key=key))
    (row,) = lines(request)
    assert set(row["columns"]) == {"schema_version", "fields"}
    assert row["values"] == [{"column": "schema_version", "target": "1", "source": "2"}]


def test_no_credential_is_kept_there(tmp_path: Path) -> None:
    name = "mcp_oauth_connections"
    rows = [
        {"id": "a", "user_id": "u", "connection_id": "c", "refresh_token": f"token {side}"}
        for side in ("here", "there")
    ]
    target = make_database(tmp_path / "t.db", {name: rows[:1]})
    other = make_database(tmp_path / "b.db", {name: rows[1:], "observations": [observation("o")]})
    request = RecoverRequest(target, (other,), tmp_path / "vault", include_auth=True)
    plan(request)
    assert [(r["table"], r["values"]) for r in lines(request)] == [(name, None)]


def test_entities_of_what_was_sent_again_are_in_a_file_of_their_own(tmp_path: Path) -> None:
    later = "2026-03-05T00:00:00.000Z"
    old = [
        observation("o1", fields='{"title":"old"}'),
        observation("o2", fields='{"title":"new"}', observed_at="2026-02-05T00:00:00.000Z"),
        observation("o3", "e2"),
    ]
    again = [
        observation("o1", fields='{"title":"old"}', observed_at=later),
        observation("o3", "e2", observed_at=later),
    ]
    tables = {"entities": [entity("e1"), entity("e2")]}
    target = make_database(tmp_path / "t.db", {**tables, "observations": again})
    other = make_database(tmp_path / "b.db", {**tables, "observations": old})
    request = RecoverRequest(target, (other,), tmp_path / "vault")
    report = plan(request)
    found = {r["key"]: (r["observations"], r["differs"], r["values"]) for r in lines_of(request)}
    assert found == {
        "e1": (["o1"], True, [{"field": "title", "kept": '"old"', "other": '"new"'}]),
        "e2": (["o3"], False, []),
    }
    assert report.reingested.entities_differ == table(request, "reingested")["differs"].sum() == 1
    assert (report.reingested.file or "").endswith("reingested.jsonl")


def test_a_file_that_nobody_edited_decides_nothing(asked: RecoverRequest) -> None:
    safe = replace(asked, policy=MergePolicy("safe"))
    plan(asked)
    unedited = decide(safe, lines(asked))
    with pytest.raises(ConflictsFound):
        plan(unedited)


def test_what_only_the_mode_said_is_no_decision(asked: RecoverRequest) -> None:
    record = {"backup": "backup-1", "table": "observations", "key": "o1", "keep": "source"}
    report = plan(decide(asked, [{**record, "by": "mode"}]))
    assert {row["by"] for row in report.conflicts.first} == {"mode"}
    report = plan(decide(asked, [{**record, "by": None}]))
    assert [row["by"] for row in report.conflicts.first] == ["decision"]


def test_a_decision_that_another_one_settles_is_no_error(asked: RecoverRequest) -> None:
    """Once the first backup's version is kept, the second one says the same."""
    plan(asked)
    records = [{**record, "keep": "source"} for record in lines(asked)]
    report = plan(decide(asked, records))
    assert (report.conflicts.rows, report.conflicts.undecided) == (1, 0)


@pytest.mark.parametrize("key", ["alike", "new0"])
def test_a_decision_about_a_row_that_is_not_in_conflict_is_an_error(
    asked: RecoverRequest, key: str
) -> None:
    record = {"backup": "backup-1", "table": "observations", "key": key, "keep": "source"}
    with pytest.raises(UsageError, match="1 of its decisions, of observations, are about rows"):
        plan(decide(asked, [record]))


def test_a_program_may_decide_about_rows_that_turn_out_alike(asked: RecoverRequest) -> None:
    said = (
        ("backup-1", "observations", "alike", "source"),
        ("backup-1", "observations", "o1", "source"),
    )
    report = plan(replace(asked, decided=said))
    assert [(row["key"], row["keep"]) for row in report.conflicts.first] == [("o1", "source")]


def lines_of(request: RecoverRequest) -> Iterator[dict[str, Any]]:
    yield from lines(request, "reingested")


def of_two(folder: Path, here: Row, there: Row) -> RecoverRequest:
    tables = {"entities": [entity("e1")]}
    target = make_database(folder / "t.db", {**tables, "observations": [here]})
    other = make_database(folder / "b.db", {**tables, "observations": [there]})
    return RecoverRequest(target, (other,), folder / "vault")
