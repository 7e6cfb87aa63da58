"""Archiving, compacting and exporting as flows: what they wrote is an artifact of the run."""

import json
from inspect import signature
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from prefect import Flow
from prefect.client.orchestration import SyncPrefectClient

from neotoma_core.archive_tables.reading import table_files
from neotoma_core.archive_tables.tables import open_archive
from neotoma_core.errors import ArchiveForeign
from pipelines.analytics_export import export_analytics, export_tables
from pipelines.archive_compaction import compact, compact_archive_flow
from pipelines.archiving import append, archive_database
from pipelines.task_defaults import is_retryable
from tests.support.databases import entity, make_database, observation

ROOT = Path(__file__).parents[2]
FLOWS = [archive_database, compact_archive_flow, export_analytics]


def tables_of(client: SyncPrefectClient, key: str, place: Path | str) -> list[dict[str, Any]]:
    """Return the rows of the newest table artifact that tells of ``place``."""
    found = [
        a for a in client.read_artifacts() if a.key == key and str(place) in str(a.description)
    ]
    newest = max(found, key=lambda artifact: str(artifact.created))
    return list(json.loads(str(newest.data)))


def make(path: Path, rows: int) -> Path:
    observations = [observation(f"o{number}") for number in range(rows)]
    return make_database(path, {"entities": [entity("e1")], "observations": observations})


def test_what_the_flows_wrote_is_an_artifact(tmp_path: Path, client: SyncPrefectClient) -> None:
    vault, place = tmp_path / "vault", tmp_path / "vault" / "archive"
    first, second = make(tmp_path / "first.db", 2), make(tmp_path / "second.db", 3)
    archive_database(target=first, vault=vault)
    archive_database(target=second, vault=vault)
    gained = {row["table"]: row["appended"] for row in tables_of(client, "archive-tables", place)}
    assert (gained["observations"], gained["entities"]) == (1, 0)
    assert len(table_files(open_archive(place), "observations")) == 2
    compact_archive_flow(archive=place)
    assert len(table_files(open_archive(place), "observations")) == 1
    after = {r["table"]: r["files_after"] for r in tables_of(client, "compaction-tables", place)}
    assert after["observations"] == 1
    export_analytics(target=second, to=tmp_path / "out", vault=vault)
    files = {row["file"]: row["rows"] for row in tables_of(client, "export-tables", second)}
    assert files["observations.parquet"] == 3
    assert (tmp_path / "out" / "catalog.json").is_file()


def test_the_flows_take_an_archive_on_a_store(tmp_path: Path, client: SyncPrefectClient) -> None:
    (tmp_path / "store").mkdir()
    place, vault = Path((tmp_path / "store").as_uri()), tmp_path / "vault"
    for rows in (2, 3):
        archive_database(target=make(tmp_path / f"{rows}.db", rows), to=place, vault=vault)
    compact_archive_flow(archive=place)
    url = (tmp_path / "store").as_uri()
    after = {r["table"]: r["files_after"] for r in tables_of(client, "compaction-tables", url)}
    assert after["observations"] == 1
    assert len(list((tmp_path / "store" / "observations").glob("*.parquet"))) == 3


def test_an_error_says_itself_whether_to_try_again(tmp_path: Path) -> None:
    vault = tmp_path / "vault"
    archive_database(target=make(tmp_path / "one.db", 1), vault=vault)
    other = make_database(tmp_path / "other.db", {"observations": [observation("x")]})
    with pytest.raises(ArchiveForeign):
        archive_database(target=other, vault=vault)
    for task in (append, compact, export_tables):
        assert task.retry_condition_fn is is_retryable
        assert task.persist_result is False


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_the_deployment_names_the_flow_and_all_its_parameters(flow: Flow[..., Any]) -> None:
    listed = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
    (deployment,) = (d for d in listed if d["name"] == flow.name)
    path, _, name = deployment["entrypoint"].partition(":")
    assert (ROOT / path).is_file()
    assert flow.fn.__name__ == name
    defaults = {
        parameter.name: parameter.default
        for parameter in signature(flow.fn).parameters.values()
        if parameter.default is not parameter.empty
    }
    assert {n: v or None for n, v in deployment["parameters"].items()} == defaults
    assert [schedule["active"] for schedule in deployment["schedules"]] == [False]
