"""``midden reset``: the guarded way to wipe a database."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from neotoma_core.cli.terminal.asking import end_declined
from neotoma_core.cli.terminal.guarding import terminal_guard
from neotoma_core.cli.terminal.options import (
    JSON_OPTION,
    KEY_FILE_OPTION,
    MNEMONIC_FILE_OPTION,
    TARGET_OPTION,
    VAULT_OPTION,
    YES_OPTION,
)

if TYPE_CHECKING:
    from neotoma_core.guard.reset import ResetReport


def reset(
    *,
    target: Annotated[Path, TARGET_OPTION],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Say what would be lost; change nothing.")
    ] = False,
    yes: Annotated[bool, YES_OPTION] = False,
    key_file: Annotated[Path | None, KEY_FILE_OPTION] = None,
    mnemonic_file: Annotated[Path | None, MNEMONIC_FILE_OPTION] = None,
    json: Annotated[bool, JSON_OPTION] = False,
    vault: Annotated[Path | None, VAULT_OPTION] = None,
) -> None:
    """Empty a database, after a proven backup: a reset you can undo.

    For a production database (NEOTOMA_ENV, its name or its content says so) its name has to be
    typed at a terminal, and --yes does not count. Raw files stay.
    """
    key = (key_file, mnemonic_file)
    run_reset(target, vault, key, dry_run=dry_run, yes=yes, json=json)


def run_reset(
    target: Path,
    vault: Path | None = None,
    key: tuple[Path | None, Path | None] = (None, None),
    environment: str | None = None,
    *,
    dry_run: bool = False,
    yes: bool,
    json: bool,
) -> None:
    """Reset a database and print what was done.

    ``key``: files of the key or the mnemonic. ``environment``: the one the user named, if any.
    """
    from datetime import UTC, datetime

    from neotoma_core.cli.terminal.progress import TerminalProgress
    from neotoma_core.files.interrupts import released
    from neotoma_core.guard.reset import ResetRequest, plan_reset
    from neotoma_core.guard.reset import reset as reset_database
    from neotoma_core.settings.environment import default_vault, key_source, raw_storage

    folder, keys, raw = vault or default_vault(target), key_source(*key), raw_storage(target)
    # Innermost first: the report is printed before an interrupt that came after the rename.
    with released(), TerminalProgress() as progress:
        guard = terminal_guard(progress, "reset", yes=yes, environment=environment)
        request = ResetRequest(target, folder, guard, keys, raw)
        now = datetime.now(UTC)
        report = plan_reset(request, now) if dry_run else reset_database(request, now, progress)
        progress.pause()
        lost = f"{report.observations:,} observations, {report.entities:,} entities"
        if json:
            print(report.to_json())
        elif report.outcome == "reset":
            print(_text(report, lost))
        elif dry_run:
            print(f"dry run    {lost} would go; nothing was changed")
        if report.outcome == "declined" and not dry_run:
            end_declined(f"{lost} would go; nothing was changed", json=json)


def _text(report: "ResetReport", lost: str) -> str:
    from neotoma_core.report.layout import undo_lines

    done = (
        f"reset      {report.target}: {lost} are gone from it",
        f"backup     {report.backup}, verified",
    )
    return "\n".join([*done, *undo_lines(str(report.undo))])
