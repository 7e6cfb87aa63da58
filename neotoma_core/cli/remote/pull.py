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
    open_remote_of,
)
from neotoma_core.cli.terminal.asking import LEFT_ALONE
from neotoma_core.cli.terminal.options import (
    JSON_OPTION,
    KEY_FILE_OPTION,
    MNEMONIC_FILE_OPTION,
    OTHER_DATABASE_OPTION,
    TARGET_OPTION,
    VAULT_OPTION,
    YES_OPTION,
)
from neotoma_core.cli.terminal.session import asking_session

if TYPE_CHECKING:
    from neotoma_core.pull.report import PullReport


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

    A recovery with all its proofs, and with an undo. If two machines changed a row, the
    newer version is kept, by the history of both. What another machine erased is erased here, too.
    """
    from datetime import UTC, datetime

    from neotoma_core.erasure.text import plan_text as erasure_plan_text
    from neotoma_core.pull.pull import Asking, PullRequest, plan_pull
    from neotoma_core.pull.pull import pull as pull_logs
    from neotoma_core.pull.sources import CopyRequest
    from neotoma_core.recovery.text import plan_text
    from neotoma_core.settings.environment import default_vault, key_source, raw_storage

    folder = vault or default_vault(target)
    copying = CopyRequest(target, folder, raw_storage(target))
    key = key_source(key_file, mnemonic_file)
    request = PullRequest(copying, key, other_database=allow_environment_mismatch)

    opening = Opening(identity_file, bytes_a_second(bwlimit))
    with (
        asking_session(yes=yes, json=json, dry_run=dry_run) as session,
        open_remote_of(remote, folder, opening) as opened,
    ):
        progress, now = session.progress, datetime.now(UTC)
        if dry_run:
            report = plan_pull(request, opened, now, progress)
        else:
            merge = session.confirmation(
                plan_text, lambda plan: f"write {plan.writes:,} rows to {plan.target}?"
            )
            erase = session.confirmation(
                erasure_plan_text, lambda p: f"erase {p.rows:,} rows of {p.target} for good?"
            )
            asking = Asking(merge, erase, session.guard("overwriting"))
            report = pull_logs(request, opened, now, asking, progress)
        session.end(report, _text_of_pull, rehearsed=_text_of_plan)


def _text_of_pull(report: "PullReport") -> str:
    from neotoma_core.erasure.text import result_text as erasure_text
    from neotoma_core.recovery.text import result_text

    if report.recovery is None:
        return f"unchanged  no other machine has pushed to {report.remote}"
    erased = [erasure_text(report.erasure)] if report.erasure else []
    return "\n".join([result_text(report.recovery), *erased])


def _text_of_plan(report: "PullReport") -> str:
    from neotoma_core.recovery.text import plan_text

    planned = plan_text(report.recovery) if report.recovery else _text_of_pull(report)
    return f"{planned}\n{LEFT_ALONE}"
