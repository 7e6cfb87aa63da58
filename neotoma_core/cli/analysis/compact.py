"""``midden compact``: fewer, larger, sorted files in an archive."""

from pathlib import Path
from typing import Annotated

import typer

from neotoma_core.cli.terminal.options import ARCHIVE_OPTION, JSON_OPTION, VAULT_OPTION
from neotoma_core.errors import UsageError


def compact(
    *,
    target: Annotated[
        Path | None,
        typer.Option(help="The database whose vault has the archive.", show_default=False),
    ] = None,
    archive: Annotated[Path | None, ARCHIVE_OPTION] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Apply (default: dry run).")] = False,
    retention: Annotated[
        int, typer.Option(min=0, help="Keep old files for this many days; at least 1.")
    ] = 7,
    pin: Annotated[
        str | None,
        typer.Option(help="Keep the current files under this name.", show_default=False),
    ] = None,
    unpin: Annotated[str | None, typer.Option(help="Remove this pin.", show_default=False)] = None,
    json: Annotated[bool, JSON_OPTION] = False,
    vault: Annotated[Path | None, VAULT_OPTION] = None,
) -> None:
    """Rewrite small files of an archive as fewer, sorted ones.

    The rows stay the same. Old files are removed after --retention. A dry run unless --apply.
    """
    from datetime import UTC, datetime, timedelta

    from neotoma_core.archive.compact import CompactRequest
    from neotoma_core.archive.compaction_report import compaction_text
    from neotoma_core.archive.steps import compact_place, plan_compaction
    from neotoma_core.cli.terminal.progress import TerminalProgress
    from neotoma_core.settings.environment import default_archive_of

    if archive is not None and (target is not None or vault is not None):
        raise UsageError("--archive was given with --target or --vault; leave those out")
    place = default_archive_of(target, archive, vault)
    request = CompactRequest(place, timedelta(days=retention), pin, unpin)
    with TerminalProgress() as progress:
        if apply:
            report = compact_place(request, datetime.now(UTC), progress)
        else:
            report = plan_compaction(request, progress)
        progress.pause()
    print(report.to_json() if json else compaction_text(report))
    if not apply and not json:
        print("dry run    nothing was written; say --apply to do it")
