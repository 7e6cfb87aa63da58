"""``midden export``: typed tables for analytics."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from neotoma_core.cli.remote.archives import archive_here
from neotoma_core.cli.terminal.options import (
    JSON_OPTION,
    KEY_FILE_OPTION,
    KNOWN_OPTION,
    MNEMONIC_FILE_OPTION,
    OBSERVED_OPTION,
    RULES_OPTION,
    SCHEMAS_OPTION,
    SKIP_DAMAGED_OPTION,
    VAULT_OPTION,
)
from neotoma_core.errors import UsageError
from neotoma_core.snapshots.choosing import AUTO, require_rules
from neotoma_core.stores.names import url_of


class FileFormat(StrEnum):
    """What the files of an export are."""

    PARQUET = "parquet"
    CSV = "csv"
    ARROW = "arrow"


def export(
    *,
    to: Annotated[
        Path, typer.Option(help="The folder of the export; it replaces an earlier export there.")
    ],
    target: Annotated[
        Path | None, typer.Option(help="The database to export.", show_default=False)
    ] = None,
    archive: Annotated[
        Path | None,
        typer.Option(
            help="The archive to export: a folder, or s3://bucket/prefix.", show_default=False
        ),
    ] = None,
    as_of: Annotated[str | None, OBSERVED_OPTION] = None,
    knowledge: Annotated[str | None, KNOWN_OPTION] = None,
    redact: Annotated[
        list[str] | None,
        typer.Option(
            help="TYPE.FIELD to leave out, TYPE.FIELD=hash to replace by a salted hash; * is any "
            "type. Repeat it. Secrets are always excluded.",
            show_default=False,
        ),
    ] = None,
    form: Annotated[
        FileFormat, typer.Option("--format", help="Output format.")
    ] = FileFormat.PARQUET,
    schemas: Annotated[Path | None, SCHEMAS_OPTION] = None,
    rules: Annotated[str, RULES_OPTION] = AUTO,
    skip_unreadable: Annotated[bool, SKIP_DAMAGED_OPTION] = False,
    key_file: Annotated[Path | None, KEY_FILE_OPTION] = None,
    mnemonic_file: Annotated[Path | None, MNEMONIC_FILE_OPTION] = None,
    json: Annotated[bool, JSON_OPTION] = False,
    vault: Annotated[Path | None, VAULT_OPTION] = None,
) -> None:
    """Write state and history as typed tables, for analytics.

    All are from one consistent moment: one file per entity type, every value ever stated,
    observations, relationships, timeline, a catalog, and a DuckDB database with views of them.
    """
    from dataclasses import replace
    from datetime import UTC, datetime

    from neotoma_core.cli.terminal.progress import TerminalProgress
    from neotoma_core.documents.asked_times import read_asked_time
    from neotoma_core.export.export import export_database
    from neotoma_core.export.report import text_of_export
    from neotoma_core.export.request import ExportRequest, export_run
    from neotoma_core.settings.environment import default_vault, key_source, only_database

    if target is None and archive is None:
        target = only_database()
    if skip_unreadable and archive is None:
        raise UsageError("--skip-unreadable goes with --archive; leave it out")
    request = ExportRequest(
        to=to,
        vault=vault or default_vault(target or (to if url_of(archive or "") else archive) or to),
        target=target,
        archive=archive,
        as_of=read_asked_time("--as-of", as_of),
        knowledge=read_asked_time("--knowledge", knowledge),
        redact=tuple(redact or ()),
        format=form.value,
        schemas=schemas,
        rules=require_rules(rules),
        key=key_source(key_file, mnemonic_file),
        skip_unreadable=skip_unreadable,
    )
    with archive_here(archive or Path()) as here:
        asked = replace(request, archive=here.path) if archive else request
        with (
            TerminalProgress() as progress,
            export_run(asked, datetime.now(UTC), progress) as exporting,
        ):
            report = here.rename(export_database(exporting, progress))
            progress.pause()
    print(report.to_json() if json else text_of_export(report))
