"""``midden pull``: merge what other machines pushed."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from neotoma_core.cli.remote.opening import (
    IdentityFile,
    Limit,
    Opening,
    RemoteName,
    bytes_a_second,
    opened_remote,
)
from neotoma_core.cli.terminal.asking import (
    LEFT_ALONE,
    agreed,
    print_ending,
    require_answerable,
)
from neotoma_core.cli.terminal.guarding import terminal_guard
from neotoma_core.cli.terminal.options import (
    JSON_OPTION,
    KEY_FILE_OPTION,
    MNEMONIC_FILE_OPTION,
    OTHER_DATABASE_OPTION,
    TARGET_OPTION,
    VAULT_OPTION,
    YES_OPTION,
)

if TYPE_CHECKING:
    from neotoma_core.cli.terminal.progress import TerminalProgress
    from neotoma_core.erasure.report import ErasureReport
    from neotoma_core.pull.report import PullReport
    from neotoma_core.recovery.report import RecoveryReport


def pull(
    *,
    target: Annotated[Path, TARGET_OPTION],
    remote: RemoteName = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Print the plan; leave the target alone.")
    ] = False,
    yes: Annotated[bool, YES_OPTION] = False,
    allow_environment_mismatch: Annotated[bool, OTHER_DATABASE_OPTION] = False,
    identity_file: IdentityFile = None,
    bwlimit: Limit = None,
    key_file: Annotated[Path | None, KEY_FILE_OPTION] = None,
    mnemonic_file: Annotated[Path | None, MNEMONIC_FILE_OPTION] = None,
    json: Annotated[bool, JSON_OPTION] = False,
    vault: Annotated[Path | None, VAULT_OPTION] = None,
) -> None:
    """Merge what other machines pushed into the database.

    A recovery with all its proofs, and with an undo. Of a row that two machines changed, the newer
    version is kept, by the history of both. What another machine erased is erased here, too.
    """
    from datetime import UTC, datetime

    from neotoma_core.cli.terminal.progress import TerminalProgress
    from neotoma_core.erasure.text import plan_text as erasure_plan_text
    from neotoma_core.files.interrupts import released
    from neotoma_core.pull.pull import Asking, PullRequest, plan_pull
    from neotoma_core.pull.pull import pull as pull_logs
    from neotoma_core.pull.sources import CopyRequest
    from neotoma_core.recovery.text import plan_text
    from neotoma_core.settings.environment import default_vault, key_source, raw_storage

    folder = vault or default_vault(target)
    copying = CopyRequest(target, folder, raw_storage(target))
    key = key_source(key_file, mnemonic_file)
    request = PullRequest(copying, key, other_database=allow_environment_mismatch)

    def merge(plan: "RecoveryReport") -> bool:
        _show(progress, plan_text(plan), yes=yes, json=json)
        return agreed(f"write {plan.writes:,} rows to {plan.target}?", yes=yes)

    def erase(plan: "ErasureReport") -> bool:
        _show(progress, erasure_plan_text(plan), yes=yes, json=json)
        return agreed(f"erase {plan.rows:,} rows of {plan.target} for good?", yes=yes)

    opening = Opening(identity_file, bytes_a_second(bwlimit))
    # Innermost first: the report is printed before an interrupt that came after the commit.
    with (
        released(),
        opened_remote(remote, folder, opening) as opened,
        TerminalProgress() as progress,
    ):
        now = datetime.now(UTC)
        if dry_run:
            report = plan_pull(request, opened, now, progress)
        else:
            asking = Asking(merge, erase, terminal_guard(progress, "overwriting", yes=yes))
            report = pull_logs(request, opened, now, asking, progress)
        progress.pause()
        _end(report, dry_run=dry_run, json=json)


def _show(progress: "TerminalProgress", plan: str, *, yes: bool, json: bool) -> None:
    progress.pause()
    require_answerable(yes=yes)
    if not json:
        print(plan)


def _end(report: "PullReport", *, dry_run: bool, json: bool) -> None:
    from neotoma_core.erasure.text import result_text as erasure_text
    from neotoma_core.recovery.text import plan_text, result_text

    def text(done: "PullReport") -> str:
        if done.recovery is None:
            return f"unchanged  no other machine has pushed to {done.remote}"
        erased = [erasure_text(done.erasure)] if done.erasure else []
        return "\n".join([result_text(done.recovery), *erased])

    planned = plan_text(report.recovery) if report.recovery else text(report)
    rehearsed = f"{planned}\n{LEFT_ALONE}" if dry_run else ""
    print_ending(report, text, json=json, dry_run=rehearsed)
