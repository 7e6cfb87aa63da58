"""``midden backup``: a consistent copy into the vault, proven by restoring it."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from neotoma_core.cli.terminal.options import (
    JSON_OPTION,
    KEY_FILE_OPTION,
    MNEMONIC_FILE_OPTION,
    OTHER_DATABASE_OPTION,
    TARGET_OPTION,
    VAULT_OPTION,
)
from neotoma_core.errors import AnomalyFound, MiddenError

if TYPE_CHECKING:
    from neotoma_core.backup.report import BackupReport

FAILED = 5
INCONCLUSIVE = 3
DRILLED = {"pass": 0, "fail": FAILED, "inconclusive": INCONCLUSIVE}


def backup(
    *,
    target: Annotated[Path, TARGET_OPTION],
    drill: Annotated[
        bool,
        typer.Option(
            "--drill/--no-drill", help="Restore the copy to a scratch place and check it."
        ),
    ] = True,
    logs: Annotated[bool, typer.Option("--logs", help="Also keep Neotoma's log files.")] = False,
    expect_empty: Annotated[
        bool, typer.Option("--expect-empty", help="Accept an empty database.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Report what would be backed up; write nothing.")
    ] = False,
    allow_environment_mismatch: Annotated[bool, OTHER_DATABASE_OPTION] = False,
    key_file: Annotated[Path | None, KEY_FILE_OPTION] = None,
    mnemonic_file: Annotated[Path | None, MNEMONIC_FILE_OPTION] = None,
    json: Annotated[bool, JSON_OPTION] = False,
    vault: Annotated[Path | None, VAULT_OPTION] = None,
) -> int:
    """Back a database up into the vault, and prove the copy.

    Works while Neotoma's server writes to it. The copy is restored to a scratch place and checked,
    and its counts are compared with those of earlier backups: exit code 6 if much is missing. The
    target is not written to.
    """
    from datetime import UTC, datetime

    from neotoma_core.backup.request import BackupRequest
    from neotoma_core.backup.take import back_up, size_up
    from neotoma_core.backup.text import backup_text
    from neotoma_core.cli.terminal.progress import TerminalProgress
    from neotoma_core.schedule.alerting import announce, announce_failure
    from neotoma_core.settings.alerts import alerting
    from neotoma_core.settings.environment import default_vault, key_source, raw_storage

    request = BackupRequest(
        target=target,
        vault=vault or default_vault(target),
        drill=drill,
        logs=logs,
        expect_empty=expect_empty,
        key=key_source(key_file, mnemonic_file),
        raw_storage=raw_storage(target),
        other_database=allow_environment_mismatch,
    )
    now = datetime.now(UTC)
    if dry_run:
        plan = size_up(request, now)
        holds = f"{plan.observations:,} observations, {plan.entities:,} entities"
        print(plan.to_json() if json else f"dry run    {holds}; nothing was kept")
        return 0
    alerts = alerting(target)
    try:
        with TerminalProgress() as progress:
            report = back_up(request, now, progress)
    except MiddenError as error:
        _say(announce_failure(alerts, request.vault, target, str(error), now))
        raise
    print(report.to_json() if json else backup_text(report), flush=True)
    _say(announce(alerts, request.vault, report, now))
    return exit_code_of(report)


def exit_code_of(report: "BackupReport") -> int:
    """Return the exit code of a backup that was taken; raises AnomalyFound."""
    if report.alarms:
        raise AnomalyFound(report.backup, report.alarms, report.accept)
    return DRILLED[report.drill.outcome] if report.drill else 0


def _say(failed: tuple[str, ...]) -> None:
    for words in failed:
        print(f"midden: {words}", file=sys.stderr)
