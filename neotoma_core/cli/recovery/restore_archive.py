"""``midden restore --from-archive``: a database from nothing but an archive."""

from pathlib import Path
from typing import TYPE_CHECKING

from neotoma_core.cli.terminal.asking import LEFT_ALONE, agreed, print_ending, require_answerable
from neotoma_core.cli.terminal.guarding import terminal_guard

if TYPE_CHECKING:
    from neotoma_core.files.keys import KeySource
    from neotoma_core.restore.report import ArchiveRestoreReport


def restore_from_archive(
    archive: Path,
    target: Path,
    vault: Path,
    as_of: str | None,
    key: "KeySource | None",
    *,
    rules: str,
    skip_unreadable: bool,
    allow_environment_mismatch: bool,
    dry_run: bool,
    yes: bool,
    json: bool,
) -> None:
    """Build the database, show what is in it, ask, and put it in the target's place."""
    from datetime import UTC, datetime

    from neotoma_core.cli.terminal.progress import TerminalProgress
    from neotoma_core.files.interrupts import released
    from neotoma_core.restore.from_archive import RestoreArchiveRequest, restore_archive
    from neotoma_core.restore.report import built_text, restored_text
    from neotoma_core.settings.environment import raw_storage

    def confirm(report: "ArchiveRestoreReport") -> bool:
        progress.pause()
        require_answerable(yes=yes or dry_run)
        if not json:
            print(built_text(report))
        return not dry_run and agreed(f"put it in the place of {report.target}?", yes=yes)

    # Innermost first: the report is printed before an interrupt that came after the rename.
    with released(), TerminalProgress() as progress:
        request = RestoreArchiveRequest(
            archive,
            target,
            vault,
            as_of,
            key=key,
            guard=terminal_guard(progress, "restoring", yes=yes),
            skip_unreadable=skip_unreadable,
            allow_environment_mismatch=allow_environment_mismatch,
            raw_storage=raw_storage(target),
            rules=rules,
        )
        report = restore_archive(request, datetime.now(UTC), confirm, progress)
        progress.pause()
        print_ending(report, restored_text, json=json, dry_run=LEFT_ALONE if dry_run else "")
