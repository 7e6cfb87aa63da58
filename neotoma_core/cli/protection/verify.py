"""``midden verify``: prove that what is kept is what was kept: backups, or an archive."""

from pathlib import Path
from typing import Annotated

import typer

from neotoma_core.cli.protection.backup import DRILLED
from neotoma_core.cli.terminal.options import (
    JSON_OPTION,
    KEY_FILE_OPTION,
    MNEMONIC_FILE_OPTION,
    TARGET_OPTION,
    VAULT_OPTION,
)
from neotoma_core.cli.terminal.spans import span_of
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
        typer.Option(help="Read every file of this archive.", show_default=False),
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Every backup.")] = False,
    max_age: Annotated[
        str | None,
        typer.Option(
            help="Only backups not verified within this period, e.g. 7d.", show_default=False
        ),
    ] = None,
    max_duration: Annotated[
        str | None,
        typer.Option(help="Start no new drill after this time, e.g. 10m.", show_default=False),
    ] = None,
    expect_empty: Annotated[
        bool, typer.Option("--expect-empty", help="Accept an empty database.")
    ] = False,
    key_file: Annotated[Path | None, KEY_FILE_OPTION] = None,
    mnemonic_file: Annotated[Path | None, MNEMONIC_FILE_OPTION] = None,
    json: Annotated[bool, JSON_OPTION] = False,
    vault: Annotated[Path | None, VAULT_OPTION] = None,
) -> int:
    """Prove backups by restoring them, or read a whole archive.

    Such a drill checks the checksums, the rows, the snapshots and the raw files of each backup.
    Exit code 5: one failed. Exit code 3: one could not be fully checked. With --archive: read every
    file of the archive and hash every row again; exit code 27: a file is damaged.
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

    from neotoma_core.backup.drill import DrillRules
    from neotoma_core.backup.text import verify_text
    from neotoma_core.backup.verify import VerifyRequest, verify_backups
    from neotoma_core.cli.terminal.progress import TerminalProgress
    from neotoma_core.settings.environment import default_vault, key_source

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
    from neotoma_core.archive.verification_report import verification_text
    from neotoma_core.archive.verify import verify_archive
    from neotoma_core.cli.terminal.progress import TerminalProgress

    with TerminalProgress() as progress:
        report = verify_archive(archive, progress)
        progress.pause()
    print(report.to_json() if json else verification_text(report))
    return ArchiveDamaged.exit_code if report.outcome == "damaged" else 0
