"""``midden archive``: append what is new in a database to its archive."""

from pathlib import Path
from typing import Annotated

import typer

from neotoma_core.cli.terminal.options import (
    JSON_OPTION,
    OTHER_DATABASE_OPTION,
    TARGET_OPTION,
    VAULT_OPTION,
)


def archive(
    *,
    target: Annotated[Path, TARGET_OPTION],
    to: Annotated[
        Path | None,
        typer.Option(
            help="The folder of the archive, or s3://bucket/prefix "
            "[default: archive in the vault].",
            show_default=False,
        ),
    ] = None,
    allow_environment_mismatch: Annotated[bool, OTHER_DATABASE_OPTION] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Report what is new; write nothing.")
    ] = False,
    json: Annotated[bool, JSON_OPTION] = False,
    vault: Annotated[Path | None, VAULT_OPTION] = None,
) -> None:
    """Append new log rows to Parquet tables that keep every version.

    The tables are Delta tables. It does not ask, since it changes no existing data: a row that
    changed in the database is appended as a new version. Secrets and queues are never archived.
    """
    from datetime import UTC, datetime

    from neotoma_core.archive.append import ArchiveRequest, default_archive
    from neotoma_core.archive.report import archive_text
    from neotoma_core.archive.steps import archive_target, plan_target
    from neotoma_core.cli.terminal.progress import TerminalProgress
    from neotoma_core.settings.environment import default_vault

    kept = vault or default_vault(target)
    request = ArchiveRequest(to or default_archive(kept), allow_environment_mismatch)
    with TerminalProgress() as progress:
        run = plan_target if dry_run else archive_target
        report = run(target, kept, request, datetime.now(UTC), progress)
        progress.pause()
    print(report.to_json() if json else archive_text(report))
    if dry_run and not json:
        print("dry run    nothing was written")
