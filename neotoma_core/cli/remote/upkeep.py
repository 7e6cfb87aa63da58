"""``midden remote prune`` and ``midden remote rewrite``: what is removed from a remote, and how."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from neotoma_core.cli.remote.opening import Opening, open_remote_of
from neotoma_core.cli.remote.remote import NAME, remote
from neotoma_core.cli.terminal import keeping
from neotoma_core.cli.terminal.asking import require_answerable
from neotoma_core.cli.terminal.options import (
    JSON_OPTION,
    KEY_FILE_OPTION,
    MNEMONIC_FILE_OPTION,
    TARGET_OPTION,
    VAULT_OPTION,
    YES_OPTION,
)
from neotoma_core.cli.terminal.session import asking_session
from neotoma_core.cli.terminal.spans import span_of
from neotoma_core.cli.terminal.strict import StrictCommand
from neotoma_core.errors import AnomalyFound, UsageError

if TYPE_CHECKING:
    from neotoma_core.offsite.prune_report import RemotePruneReport
    from neotoma_core.offsite.rewrite_report import RewriteReport

__all__ = ["prune", "remote", "rewrite"]


@remote.command(cls=StrictCommand)
def prune(
    *,
    name: Annotated[str, NAME],
    target: Annotated[Path, TARGET_OPTION],
    keep_last: keeping.KeepLast = None,
    keep_hourly: keeping.KeepHourly = None,
    keep_daily: keeping.KeepDaily = None,
    keep_weekly: keeping.KeepWeekly = None,
    keep_monthly: keeping.KeepMonthly = None,
    keep_within: keeping.KeepWithin = None,
    grace: Annotated[
        str, typer.Option(help="Delete what nothing names so long after it was condemned.")
    ] = "7d",
    apply: keeping.Apply = False,
    yes: Annotated[bool, YES_OPTION] = False,
    json: Annotated[bool, JSON_OPTION] = False,
    vault: Annotated[Path | None, VAULT_OPTION] = None,
) -> None:
    """Show which backups on a remote would go; --apply removes them.

    By the same rules as `midden prune`; the log itself stays. The newest good backup there always
    stays, and nothing is removed while a loss is unexplained. Objects that no push has named, as an
    interrupted one leaves them, are condemned, and deleted by a later run, after --grace. Deleting
    needs credentials that allow it; without them the backups count as removed, and a later run
    deletes their objects.
    """
    from datetime import UTC, datetime

    from neotoma_core.offsite.prune import GRACE, PruneRemoteRequest, prune_remote
    from neotoma_core.offsite.prune_report import prune_text
    from neotoma_core.settings.environment import default_vault

    counts = keeping.Kept(keep_last, keep_hourly, keep_daily, keep_weekly, keep_monthly)
    folder = vault or default_vault(target)
    span = span_of(grace, "--grace")
    policy = keeping.policy_of(counts, keep_within)
    request = PruneRemoteRequest(folder, policy, GRACE if span is None else span)

    with (
        asking_session(yes=yes, json=json, dry_run=not apply) as session,
        open_remote_of(name, folder, Opening()) as opened,
    ):
        ask = session.confirmation(
            prune_text, lambda p: f"delete {p.objects:,} objects of {p.remote} for good?"
        )

        def confirm(plan: "RemotePruneReport") -> bool:
            if not apply:
                return False
            return not (plan.objects or plan.removed) or ask(plan)

        report = prune_remote(request, opened, datetime.now(UTC), confirm, session.progress)
        session.end(report, prune_text, rehearsed=prune_text, was_declined=session.refused)


@remote.command(cls=StrictCommand)
def rewrite(
    *,
    name: Annotated[str, NAME],
    target: Annotated[Path, TARGET_OPTION],
    erased: Annotated[
        bool, typer.Option("--erased", help="Leave out what `midden erase` erased.")
    ] = False,
    delete: Annotated[
        bool, typer.Option("--delete", help="Delete what may still hold it and no longer counts.")
    ] = False,
    key_file: Annotated[Path | None, KEY_FILE_OPTION] = None,
    mnemonic_file: Annotated[Path | None, MNEMONIC_FILE_OPTION] = None,
    yes: Annotated[bool, YES_OPTION] = False,
    json: Annotated[bool, JSON_OPTION] = False,
    vault: Annotated[Path | None, VAULT_OPTION] = None,
) -> int:
    """Write the log on a remote again, without what was erased.

    What was there before no longer counts and is listed; --delete deletes it, which needs
    credentials that allow it. Backups that hold what was erased no longer count either. A bucket
    that keeps old versions of objects keeps them until its own rules remove them.
    """
    from datetime import UTC, datetime

    from neotoma_core.offsite.rewrite import rewrite_remote
    from neotoma_core.offsite.rewrite_report import rewrite_text
    from neotoma_core.push.request import PushRequest
    from neotoma_core.settings.environment import default_vault, key_source, raw_storage

    if not erased:
        raise UsageError("say what is to be left out: --erased")
    if delete:
        require_answerable(yes=yes)
    folder = vault or default_vault(target)
    key = key_source(key_file, mnemonic_file)
    request = PushRequest(target, folder, key, raw_storage(target))
    with (
        asking_session(yes=yes, json=json) as session,
        open_remote_of(name, folder, Opening()) as opened,
    ):
        ask = session.confirmation(
            rewrite_text, lambda r: f"delete {len(r.old):,} objects for good?"
        )

        def confirm(report: "RewriteReport") -> bool:
            return delete and ask(report)

        report = rewrite_remote(request, opened, datetime.now(UTC), confirm, session.progress)
        session.end(
            report, rewrite_text, declined="nothing was deleted", was_declined=session.refused
        )
    return AnomalyFound.exit_code if report.outcome == "held" else 0
