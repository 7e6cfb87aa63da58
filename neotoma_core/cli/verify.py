"""``midden verify``: prove that what is kept is what was kept: backups, or an archive."""

from pathlib import Path
from typing import Annotated

import typer

from neotoma_core.cli.backup import DRILLED
from neotoma_core.cli.options import (
    JSON_OPTION,
    KEY_FILE_OPTION,
    MNEMONIC_FILE_OPTION,
    TARGET_OPTION,
    VAULT_OPTION,
)
from neotoma_core.cli.spans import span_of
from neotoma_core.errors import ArchiveDamaged, UsageError


def verify(
    *,
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Backups, by name or number [default: the newest].", metavar="[ID]..."),
    ] = None,
    target: Annotated[Path | None, TARGET_OPTION] = None,
    archive: Annotated[
        Path | None,
        typer.Option(help="An archive, of which every file is read.", show_default=False),
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Every backup.")] = False,
    max_age: Annotated[
        str | None,
        typer.Option(help="Those not verified for so long, as 7d.", show_default=False),
    ] = None,
    max_duration: Annotated[
        str | None,
        typer.Option(help="Begin no further drill after so long, as 10m.", show_default=False),
    ] = None,
    expect_empty: Annotated[
        bool, typer.Option("--expect-empty", help="A database without observations is right.")
    ] = False,
    key_file: Annotated[Path | None, KEY_FILE_OPTION] = None,
    mnemonic_file: Annotated[Path | None, MNEMONIC_FILE_OPTION] = None,
    json: Annotated[bool, JSON_OPTION] = False,
    vault: Annotated[Path | None, VAULT_OPTION] = None,
) -> int:
    """Drill backups: the checksums, the rows, the snapshots and the raw files of each.

    Exits with 5 where one failed, with 3 where one could not be fully looked at. With --archive:
    read every file of it and hash every row anew; exits with 27 where one is damaged.
    """
    if all_ and names:
        raise UsageError("--all was given with backups; name them, or say --all")
    if archive is not None and (all_ or max_age or max_duration or expect_empty):
        raise UsageError("--archive reads all of the archive; leave the options of backups out")
    if archive is not None and target is None and not names:
        return _verify_archive(archive, json=json)
    if target is None or archive is not None:
        raise UsageError("name the database with --target, or an archive with --archive")
    from datetime import UTC, datetime

    from neotoma_core.cli.progress import TerminalProgress
    from neotoma_core.ops.drill import DrillRules
    from neotoma_core.ops.verify import VerifyRequest, verify_backups
    from neotoma_core.report.backup_text import verify_text
    from neotoma_core.settings import default_vault, key_source

    request = VerifyRequest(
        target=target,
        vault=vault or default_vault(target),
        names=tuple(names or ()),
        all=all_,
        max_age=span_of(max_age, "--max-age"),
        max_duration=span_of(max_duration, "--max-duration"),
        rules=DrillRules(key_source(key_file, mnemonic_file), expect_empty=expect_empty),
    )
    with TerminalProgress() as progress:
        report = verify_backups(request, datetime.now(UTC), progress)
    print(report.to_json() if json else verify_text(report))
    return DRILLED[report.outcome]


def _verify_archive(archive: Path, *, json: bool) -> int:
    from neotoma_core.cli.progress import TerminalProgress
    from neotoma_core.ops.verify_archive import verify_archive
    from neotoma_core.report.archive_verification import verification_text

    with TerminalProgress() as progress:
        report = verify_archive(archive, progress)
        progress.pause()
    print(report.to_json() if json else verification_text(report))
    return ArchiveDamaged.exit_code if report.outcome == "damaged" else 0
