"""Flow: export a database, or an archive, as typed tables for analytics."""

from datetime import UTC, datetime
from pathlib import Path

from prefect import flow

from neotoma_core.documents.asked_times import read_asked_time
from neotoma_core.export import steps as export_steps
from neotoma_core.export.files import Format
from neotoma_core.export.request import ExportRequest
from neotoma_core.settings.environment import default_vault, key_source
from pipelines.recording import RunLog, record_export
from pipelines.task_defaults import operation

export_tables = operation(export_steps.export_tables).with_options(name="export")


@flow(name="export-analytics", persist_result=False)
def export_analytics(  # noqa: PLR0913 - one parameter per option of `midden export`
    *,
    to: Path,
    target: Path | None = None,
    archive: Path | None = None,
    as_of: str | None = None,
    redact: list[str] | None = None,
    file_format: Format = "parquet",
    vault: Path | None = None,
) -> None:
    """Export ``target`` or ``archive`` to the folder ``to``; an earlier export there is replaced.

    The parameters are the options of ``midden export``.
    """
    request = ExportRequest(
        to=to,
        vault=vault or default_vault(target or archive or to),
        target=target,
        archive=archive,
        as_of=read_asked_time("as_of", as_of),
        redact=tuple(redact or ()),
        format=file_format,
        key=key_source(),  # from Neotoma's own variables: anybody may read a parameter
    )
    record_export(export_tables(request, datetime.now(UTC), RunLog()))
