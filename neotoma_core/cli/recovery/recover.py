"""``midden recover``: merge backups into a database and rebuild its entity snapshots."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from neotoma_core.cli.remote.as_backups import with_remotes
from neotoma_core.cli.remote.opening import ENDPOINT_OPTION, IdentityFile, Opening
from neotoma_core.cli.terminal.asking import LEFT_ALONE
from neotoma_core.cli.terminal.options import (
    JSON_OPTION,
    KEY_FILE_OPTION,
    MNEMONIC_FILE_OPTION,
    OTHER_DATABASE_OPTION,
    RULES_OPTION,
    SCHEMAS_OPTION,
    TARGET_OPTION,
    VAULT_OPTION,
    YES_OPTION,
)
from neotoma_core.cli.terminal.session import asking_session
from neotoma_core.errors import UsageError
from neotoma_core.snapshots.choosing import AUTO, require_rules

if TYPE_CHECKING:
    from neotoma_core.find.search import SearchRequest
    from neotoma_core.recovery.report import RecoveryReport
    from neotoma_core.recovery.run.request import RecoverRequest

PARTIAL: Final = 3

_SEARCH: Final = typer.Option(
    help="Find the copies below this folder and use the fewest that together hold everything; "
    "repeat it.",
    show_default=False,
)
_FROM_INVENTORY: Final = typer.Option(
    help="Use the copies listed in a Parquet file of `midden find --parquet`.", show_default=False
)
_DECISIONS: Final = typer.Option(
    help="The conflicts.jsonl or conflicts.parquet of an earlier plan, with target or source as "
    "`keep` of each row you decided.",
    show_default=False,
)
_NO_ANCESTOR: Final = typer.Option(
    "--no-ancestor",
    help="Also report a conflict where only one side changed a row since an older backup that "
    "both come from.",
)
_MODE: Final = typer.Option(
    help="If a row differs between target and backup: keep the target's, keep the backup's, "
    "or stop (safe)."
)
_REINGESTED: Final = typer.Option(
    help="For observations that were sent again: follow --mode, or keep the time each was first "
    "observed."
)
_USER: Final = typer.Option(help="Bring only the rows of this user.", show_default=False)
_INCLUDE_AUTH: Final = typer.Option(
    "--include-auth",
    help="Also bring logins, sessions and tokens that the target lacks and did not revoke.",
)
_SKIP_UNREADABLE: Final = typer.Option(
    "--skip-unreadable", help="Continue without backups that cannot be read."
)
_NO_VALUES: Final = typer.Option(
    "--no-values", help="Leave stored values out of the files that list conflicts."
)
_WITH_NAMES: Final = typer.Option(
    "--with-names", help="Show the names of entities that come back on the report page."
)
_NO_ARCHIVE: Final = typer.Option(
    "--no-archive", help="Do not append what was recovered to the vault's archive."
)


class Mode(StrEnum):
    """What happens to rows that share a key and differ."""

    KEEP_TARGET = "keep-target"
    KEEP_SOURCE = "keep-source"
    SAFE = "safe"


class Reingested(StrEnum):
    """What happens to observations that were merely sent again."""

    BY_MODE = "by-mode"
    KEEP_EARLIEST = "keep-earliest"


def recover(
    *,
    target: Annotated[Path, TARGET_OPTION],
    backup: Annotated[
        list[Path] | None,
        typer.Option(
            help="A copy to recover from: a database, a folder or archive that holds one "
            "(ARCHIVE!MEMBER picks one of several), midden's archive, a backup of the vault by "
            "name or number, or a remote by name or address; repeat it. If backups share a row, "
            "the first listed wins.",
            show_default=False,
        ),
    ] = None,
    search: Annotated[list[Path] | None, _SEARCH] = None,
    from_inventory: Annotated[Path | None, _FROM_INVENTORY] = None,
    mode: Annotated[Mode, _MODE] = Mode.KEEP_TARGET,
    reingested: Annotated[Reingested, _REINGESTED] = Reingested.BY_MODE,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Print the plan; leave the target alone.")
    ] = False,
    yes: Annotated[bool, YES_OPTION] = False,
    skip_unreadable: Annotated[bool, _SKIP_UNREADABLE] = False,
    allow_environment_mismatch: Annotated[bool, OTHER_DATABASE_OPTION] = False,
    key_file: Annotated[Path | None, KEY_FILE_OPTION] = None,
    mnemonic_file: Annotated[Path | None, MNEMONIC_FILE_OPTION] = None,
    schemas: Annotated[Path | None, SCHEMAS_OPTION] = None,
    rules: Annotated[str, RULES_OPTION] = AUTO,
    decisions: Annotated[Path | None, _DECISIONS] = None,
    no_ancestor: Annotated[bool, _NO_ANCESTOR] = False,
    user: Annotated[str | None, _USER] = None,
    include_auth: Annotated[bool, _INCLUDE_AUTH] = False,
    no_archive: Annotated[bool, _NO_ARCHIVE] = False,
    no_values: Annotated[bool, _NO_VALUES] = False,
    with_names: Annotated[bool, _WITH_NAMES] = False,
    endpoint: Annotated[str | None, ENDPOINT_OPTION] = None,
    identity_file: IdentityFile = None,
    json: Annotated[bool, JSON_OPTION] = False,
    vault: Annotated[Path | None, VAULT_OPTION] = None,
) -> int:
    """Recover a database from its copies, and prove the result.

    Merges backups into the target and rebuilds its snapshots. Prints the plan and asks before it
    writes. A target that does not exist is created; backups are never changed. Without --backup,
    --search or --from-inventory, it looks for copies in the vault, in the target's folder and the
    one above, and among the files in your home folder. If the target is damaged or empty, its
    readable rows are used like those of a backup, and a new file replaces it. Ends by printing the
    command that undoes it.
    """
    from neotoma_core.merge.policy import MergePolicy
    from neotoma_core.recovery.run.request import RecoverRequest
    from neotoma_core.settings.environment import default_vault, key_source, raw_storage

    folder = vault or default_vault(target)
    request = RecoverRequest(
        target=target,
        backups=(),
        vault=folder,
        policy=MergePolicy(mode.value, reingested.value, ancestors=not no_ancestor),
        skip_unreadable=skip_unreadable,
        allow_environment_mismatch=allow_environment_mismatch,
        schemas=schemas,
        rules=require_rules(rules),
        key=key_source(key_file, mnemonic_file),
        decisions=decisions,
        user=user,
        include_auth=include_auth,
        archived=not no_archive,
        values=not no_values,
        names=with_names,
        raw_storage=raw_storage(target),
    )
    opening = Opening(identity_file, endpoint=endpoint)
    with with_remotes(backup or (), request, opening) as request:
        where = _where(request, search, from_inventory)
        report = run_recovery(request, where, dry_run=dry_run, yes=yes, json=json)
    unread = any(backup.unreadable for backup in report.not_used)
    return PARTIAL if unread or report.set_aside else 0


def _where(
    request: "RecoverRequest", search: list[Path] | None, inventory: Path | None
) -> "SearchRequest | None":
    """Return where to search for backups, None where they are named; around it if nothing is said.

    Raises UsageError.
    """
    from neotoma_core.find.inventory import read_listed_files
    from neotoma_core.find.places import search_around
    from neotoma_core.find.search import SearchRequest

    if sum([bool(request.backups), bool(search), inventory is not None]) > 1:
        raise UsageError(
            "name the backups with --backup, or have them searched for with --search or "
            "--from-inventory; exactly one of the three"
        )
    if inventory is not None:
        return SearchRequest(read_listed_files(inventory), key=request.key)
    if search:
        return SearchRequest(tuple(search), key=request.key)
    return None if request.backups else search_around(request.target, request.key)


def run_recovery(
    request: "RecoverRequest",
    where: "SearchRequest | None" = None,
    *,
    dry_run: bool,
    yes: bool,
    json: bool,
) -> "RecoveryReport":
    """Run one recovery and print what it decided and did. ``where``: where to find backups."""
    from datetime import UTC, datetime

    from neotoma_core.recovery.recover import plan_only, recover
    from neotoma_core.recovery.run.composed import compose_run
    from neotoma_core.recovery.run.named import recovery_run
    from neotoma_core.recovery.text import plan_text, result_text

    with asking_session(yes=yes, json=json, dry_run=dry_run) as session:
        progress, now = session.progress, datetime.now(UTC)
        begun = compose_run(request, where, now, progress) if where else recovery_run(request, now)
        with begun as run:
            if dry_run:
                report = plan_only(run, progress)
            else:
                confirm = session.confirmation(
                    plan_text, lambda plan: f"write {plan.writes:,} rows to {plan.target}?"
                )
                report = recover(run, confirm, progress, session.guard("overwriting"))
            session.end(report, result_text, rehearsed=lambda r: f"{plan_text(r)}\n{LEFT_ALONE}")
    return report
