"""``midden restore --from-archive``: a database from nothing but an archive."""

from typing import TYPE_CHECKING

from neotoma_core.cli.terminal.session import asking_session
from neotoma_core.errors import UsageError

if TYPE_CHECKING:
    from neotoma_core.cli.remote.as_backups import Named
    from neotoma_core.restore.from_archive import RestoreArchiveRequest


def restore_from_archive(
    request: "RestoreArchiveRequest", named: "Named", *, dry_run: bool, yes: bool, json: bool
) -> None:
    """Build the database, show what is in it, ask, and put it in the target's place.

    ``named``: names the archive in a report as the user did.
    """
    from dataclasses import replace
    from datetime import UTC, datetime

    from neotoma_core.restore.from_archive import restore_archive
    from neotoma_core.restore.report import text_after, text_before

    with asking_session(yes=yes, json=json, dry_run=dry_run) as session:
        confirm = session.confirmation(
            text_before, lambda plan: f"put it in the place of {plan.target}?"
        )
        asked = replace(request, guard=session.guard("restoring"))
        report = restore_archive(
            asked, datetime.now(UTC), lambda plan: confirm(named(plan)), session.progress
        )
        session.end(named(report), text_after)


def build_at_new_place(request: "RestoreArchiveRequest", named: "Named", *, json: bool) -> None:
    """Build the database where nothing is, so nobody is asked.

    ``named``: names the archive in a report as the user did. Raises UsageError where anything is
    there.
    """
    from datetime import UTC, datetime

    from neotoma_core.cli.terminal.progress import TerminalProgress
    from neotoma_core.restore.from_archive import restore_archive
    from neotoma_core.restore.report import text_after, text_before

    if request.target.exists() or request.target.is_symlink():
        raise UsageError(
            f"--out {request.target}: there is something else already; choose another name, or "
            "replace a database with midden restore --from-archive"
        )
    with TerminalProgress() as progress:
        report = named(restore_archive(request, datetime.now(UTC), lambda _: True, progress))
    print(report.to_json() if json else f"{text_before(report)}\n{text_after(report)}")
