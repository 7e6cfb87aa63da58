"""``midden verify``: prove that what is kept is what was kept: backups, an archive, a remote."""

import re
from pathlib import Path
from typing import Annotated, Final

import typer

from neotoma_core.cli.protection.backup import DRILLED
from neotoma_core.cli.remote.archives import archive_here
from neotoma_core.cli.remote.opening import IdentityFile, Opening, open_remote_of
from neotoma_core.cli.terminal.options import (
    JSON_OPTION,
    KEY_FILE_OPTION,
    MNEMONIC_FILE_OPTION,
    TARGET_OPTION,
    VAULT_OPTION,
)
from neotoma_core.cli.terminal.spans import span_of
from neotoma_core.errors import ArchiveDamaged, UsageError

_ARCHIVE: Final = typer.Option(
    help="Read every file of this archive: a folder, or s3://bucket/prefix.", show_default=False
)
_REMOTE: Final = typer.Option(help="Read every object of this remote.", show_default=False)
_SAMPLE: Final = typer.Option(
    help="With --remote: read this share of the contents, at random, e.g. 5%.", show_default=False
)
_MAX_DURATION: Final = typer.Option(
    help="Start no new drill, and read no new object, after this time, e.g. 10m.",
    show_default=False,
)


def verify(
    *,
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Backups, by name or number [default: the newest].", metavar="[ID]..."),
    ] = None,
    target: Annotated[Path | None, TARGET_OPTION] = None,
    archive: Annotated[Path | None, _ARCHIVE] = None,
    remote: Annotated[str | None, _REMOTE] = None,
    sample: Annotated[str | None, _SAMPLE] = None,
    identity_file: IdentityFile = None,
    all_: Annotated[bool, typer.Option("--all", help="Every backup.")] = False,
    max_age: Annotated[
        str | None,
        typer.Option(
            help="Only backups not verified within this period, e.g. 7d.", show_default=False
        ),
    ] = None,
    max_duration: Annotated[str | None, _MAX_DURATION] = None,
    expect_empty: Annotated[
        bool, typer.Option("--expect-empty", help="Accept an empty database.")
    ] = False,
    key_file: Annotated[Path | None, KEY_FILE_OPTION] = None,
    mnemonic_file: Annotated[Path | None, MNEMONIC_FILE_OPTION] = None,
    json: Annotated[bool, JSON_OPTION] = False,
    vault: Annotated[Path | None, VAULT_OPTION] = None,
) -> int:
    """Prove backups by restoring them; read archives and remotes.

    A drill checks the checksums, the rows, the snapshots and the raw files of a backup.
    Exit code 5: one failed. Exit code 3: one could not be fully checked. With --archive: read every
    file of the archive and hash every row again; exit code 27: a file is damaged. With --remote:
    read and hash every object, rebuild each log, and compare this database's own with it; exit
    code 34: an object is damaged, missing, replaced or foreign.
    """
    from neotoma_core.settings.environment import default_vault, key_source, only_database

    if target is None and archive is None and vault is None:
        target = only_database()
    if remote is not None:
        if archive is not None or names or all_ or max_age or expect_empty:
            raise UsageError("--remote reads a remote; leave --archive and backups out")
        limits = (sample, max_duration)
        keys = (key_file, mnemonic_file)
        return _verify_remote(remote, target, vault, Opening(identity_file), limits, keys, json)
    if sample or identity_file:
        raise UsageError("--sample and --identity-file go with --remote")
    if all_ and names:
        raise UsageError("--all was given with backups; name them, or say --all")
    if archive is not None and (all_ or max_age or max_duration or expect_empty):
        raise UsageError("--archive reads all of the archive; leave the options of backups out")
    if archive is not None and target is None and not names:
        return _verify_archive(archive, json=json)
    if target is None or archive is not None:
        raise UsageError("name the database with --target, or an archive with --archive")
    from datetime import UTC, datetime

    from neotoma_core.backup.drills.drill import DrillRules
    from neotoma_core.backup.text import verify_text
    from neotoma_core.backup.verify import VerifyRequest, verify_backups
    from neotoma_core.cli.terminal.progress import TerminalProgress

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


def _verify_remote(  # noqa: PLR0917 - as the command was given
    name: str,
    target: Path | None,
    vault: Path | None,
    opening: Opening,
    limits: tuple[str | None, str | None],
    keys: tuple[Path | None, Path | None],
    json: bool,  # noqa: FBT001 - as the command was given
) -> int:
    from datetime import UTC, datetime

    from neotoma_core.cli.terminal.progress import TerminalProgress
    from neotoma_core.errors import RemoteDamaged
    from neotoma_core.offsite.verify import VerifyRemoteRequest, verify_remote
    from neotoma_core.offsite.verify_report import verification_text
    from neotoma_core.settings.environment import default_vault, key_source

    folder = vault or (default_vault(target) if target else None)
    if folder is None:
        raise UsageError("name the database with --target, or its vault with --vault")
    sample, longest = limits
    request = VerifyRemoteRequest(
        folder, target, share_of(sample), span_of(longest, "--max-duration"), key_source(*keys)
    )
    with TerminalProgress() as progress, open_remote_of(name, folder, opening) as opened:
        report = verify_remote(request, opened, datetime.now(UTC), progress)
        progress.pause()
    print(report.to_json() if json else verification_text(report))
    return RemoteDamaged.exit_code if report.is_damaged else DRILLED[report.outcome]


def share_of(text: str | None) -> float | None:
    """Return the share that a percentage means; raises UsageError."""
    if text is None:
        return None
    found = re.fullmatch(r"(\d{1,3}(?:\.\d+)?)%", text.strip(), re.ASCII)
    share = float(found[1]) / 100 if found else 0.0
    if not 0 < share <= 1:
        raise UsageError(f"--sample {text}: not a share; write a percentage, like 5%")
    return share


def _verify_archive(archive: Path, *, json: bool) -> int:
    from neotoma_core.archive.page import archive_verification_page
    from neotoma_core.archive_tables.verification_report import verification_text
    from neotoma_core.archive_tables.verify import verify_archive
    from neotoma_core.cli.terminal.progress import TerminalProgress
    from neotoma_core.vault.folder import DESCRIPTION
    from neotoma_core.vault.last_report import keep_last

    with archive_here(archive) as here, TerminalProgress() as progress:
        report = verify_archive(here.path, progress, here.strange)
        report = here.rename(report)
        progress.pause()
    if (archive.parent / DESCRIPTION).is_file():
        keep_last(archive.parent, "verify", report, lambda: archive_verification_page(report))
    print(report.to_json() if json else verification_text(report))
    return ArchiveDamaged.exit_code if report.outcome == "damaged" else 0
