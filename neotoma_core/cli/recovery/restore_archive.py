"""``midden restore --from-archive``: a database from nothing but an archive."""

from pathlib import Path
from typing import TYPE_CHECKING

from neotoma_core.cli.terminal.session import asking_session

if TYPE_CHECKING:
    from neotoma_core.files.keys import KeySource


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

    from neotoma_core.restore.from_archive import RestoreArchiveRequest, restore_archive
    from neotoma_core.restore.report import built_text, restored_text
    from neotoma_core.settings.environment import raw_storage

    with asking_session(yes=yes, json=json, dry_run=dry_run) as session:
        request = RestoreArchiveRequest(
            archive,
            target,
            vault,
            as_of,
            key=key,
            guard=session.guard("restoring"),
            skip_unreadable=skip_unreadable,
            allow_environment_mismatch=allow_environment_mismatch,
            raw_storage=raw_storage(target),
            rules=rules,
        )
        confirm = session.confirmation(
            built_text, lambda plan: f"put it in the place of {plan.target}?"
        )
        report = restore_archive(request, datetime.now(UTC), confirm, session.progress)
        session.end(report, restored_text)
