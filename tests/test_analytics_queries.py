"""The queries of docs/analytics.md, run on an export of the incident as it was recovered."""

import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from neotoma_core.export.request import ExportRequest
from neotoma_core.export.steps import export_tables
from neotoma_core.report.progress import Silent
from tests.conftest import NOW, copy_databases, recover_into
from tests.pages import DOCS, blocks


@pytest.fixture(scope="module")
def analytics(unpacked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("analytics")
    incident = copy_databases(unpacked, folder)
    target = incident / "data" / "neotoma.prod.db"
    backups = [incident / "backups" / n for n in ("neotoma.prod.db.db", "neotoma.prod 2.db")]
    recover_into(folder / "vault")(target, *backups)
    request = ExportRequest(to=folder / "analytics", vault=folder / "vault", target=target)
    export_tables(request, NOW, Silent())
    return folder / "analytics"


@pytest.fixture
def in_folder(analytics: Path) -> Iterator[Path]:
    here = Path.cwd()
    os.chdir(analytics)
    yield analytics
    os.chdir(here)


def code(language: str) -> str:
    (found,) = blocks(DOCS / "analytics.md", language)
    return found


def test_polars_and_duckdb_say_the_same(in_folder: Path) -> None:
    names: dict[str, Any] = {}
    exec(code("python"), names)  # noqa: S102 - the page's own code
    wanted = [
        names[name]
        for name in ("observations_per_day", "contacts_by_company", "tasks_done_per_week")
    ]
    with duckdb.connect(str(in_folder / "analytics.duckdb"), read_only=True) as connection:
        statements = [s for s in code("sql").split(";") if s.strip()]
        found = [connection.sql(statement).pl() for statement in statements]
    assert len(found) == len(wanted)
    for by_polars, by_duckdb in zip(wanted, found, strict=True):
        assert sorted(by_polars.rows(), key=repr) == sorted(by_duckdb.rows(), key=repr)


def test_the_answers_are_those_of_the_incident(in_folder: Path) -> None:
    names: dict[str, Any] = {}
    exec(code("python"), names)  # noqa: S102 - the page's own code
    per_day: pl.DataFrame = names["observations_per_day"]
    assert per_day["observations"].sum() == 6_296
    assert per_day["day"].min() == date(2026, 2, 9)
    done = dict(names["tasks_done_per_week"].rows())
    assert done[date(2026, 3, 2)] == 132
    contacts: pl.DataFrame = names["contacts_by_company"]
    assert contacts["contacts"].sum() == 924
    assert in_folder.is_dir()
