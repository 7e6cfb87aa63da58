"""``midden restore``: put a database back to what evidence, a backup or an archive holds."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from neotoma_core.cli.recovery.task_runner import (
    PARTS_OPTION,
    SCHEDULER_OPTION,
    TASK_RUNNER_OPTION,
    Means,
    TaskRunner,
    work_of,
)
from neotoma_core.cli.remote.as_backups import archive_of
from neotoma_core.cli.remote.opening import (
    ENDPOINT_OPTION,
    WRITER_OPTION,
    IdentityFile,
    Opening,
)
from neotoma_core.cli.terminal.asking import LEFT_ALONE, require_yes
from neotoma_core.cli.terminal.options import (
    AS_OF_OPTION,
    FROM_ARCHIVE_OPTION,
    JSON_OPTION,
    KEY_FILE_OPTION,
    MNEMONIC_FILE_OPTION,
    OTHER_DATABASE_OPTION,
    RULES_OPTION,
    SKIP_DAMAGED_OPTION,
    TARGET_OPTION,
    VAULT_OPTION,
    YES_OPTION,
)
from neotoma_core.cli.terminal.session import asking_session
from neotoma_core.documents.asked_times import read_asked_time
from neotoma_core.errors import UsageError
from neotoma_core.snapshots.choosing import AUTO, require_rules

if TYPE_CHECKING:
    from neotoma_core.restore.restore import RestoreRequest

_FROM_REMOTE: Final = typer.Option(
    help="Build the database from the log that this remote, by name or address, has of it.",
    show_default=False,
)

_WHAT: Final = (
    "name an evidence folder or a backup, or an archive with --from-archive, or a remote with "
    "--from-remote; --as-of, --rules, --skip-unreadable, --task-runner, --scheduler and --parts "
    "go with these two, --writer with a remote"
)

_SOURCE: Final = typer.Argument(
    help="A backup of the vault by name or number, or a path: evidence, a backup, one of "
    "Neotoma's own backups, a database, or an archive that holds one.",
    metavar="ID|PATH",
    show_default=False,
)
_DryRun = Annotated[
    bool, typer.Option("--dry-run", "-n", help="Say what would change; change nothing.")
]


def restore(
    *,
    source: Annotated[str | None, _SOURCE] = None,
    target: Annotated[Path, TARGET_OPTION],
    dry_run: _DryRun = False,
    allow_environment_mismatch: Annotated[bool, OTHER_DATABASE_OPTION] = False,
    from_archive: Annotated[Path | None, FROM_ARCHIVE_OPTION] = None,
    from_remote: Annotated[str | None, _FROM_REMOTE] = None,
    writer: Annotated[str | None, WRITER_OPTION] = None,
    endpoint: Annotated[str | None, ENDPOINT_OPTION] = None,
    identity_file: IdentityFile = None,
    as_of: Annotated[str | None, AS_OF_OPTION] = None,
    skip_unreadable: Annotated[bool, SKIP_DAMAGED_OPTION] = False,
    rules: Annotated[str, RULES_OPTION] = AUTO,
    task_runner: Annotated[TaskRunner, TASK_RUNNER_OPTION] = TaskRunner.THREADS,
    scheduler: Annotated[str | None, SCHEDULER_OPTION] = None,
    parts: Annotated[Path | None, PARTS_OPTION] = None,
    yes: Annotated[bool, YES_OPTION] = False,
    key_file: Annotated[Path | None, KEY_FILE_OPTION] = None,
    mnemonic_file: Annotated[Path | None, MNEMONIC_FILE_OPTION] = None,
    json: Annotated[bool, JSON_OPTION] = False,
    vault: Annotated[Path | None, VAULT_OPTION] = None,
) -> None:
    """Put a database back to what evidence or a backup holds.

    Commands that write print the restore command that undoes them. With --from-archive: to what
    the archive says the database held at its last run, or as of a time.

    The current database is kept as new evidence first. Data that was erased since stays erased.
    A backup brings back missing raw files; existing ones stay.
    """
    from neotoma_core.archive_tables.as_backup import is_archive
    from neotoma_core.cli.recovery.restore_archive import restore_from_archive
    from neotoma_core.restore.from_archive import RestoreArchiveRequest
    from neotoma_core.restore.restore import RestoreRequest
    from neotoma_core.restore.sources import find_source
    from neotoma_core.settings.environment import default_vault, key_source, raw_storage

    folder = vault or default_vault(target)
    means = Means(task_runner, scheduler, parts)
    key = key_source(key_file, mnemonic_file)
    if source is not None and from_archive is None and is_archive(Path(source)):
        from_archive, source = Path(source), None
    if (from_archive is None) != (from_remote is None) and source is None:
        request = RestoreArchiveRequest(
            Path(),
            target,
            folder,
            read_asked_time("--as-of", as_of),
            key=key,
            skip_unreadable=skip_unreadable,
            allow_environment_mismatch=allow_environment_mismatch,
            raw_storage=raw_storage(target),
            rules=require_rules(rules),
        )
        sought = (from_archive, from_remote, writer)
        opening = Opening(identity_file, endpoint=endpoint)
        _say_what_is_there(target, folder)
        found_in = archive_of(*sought, request, opening, content=means.reads_here)
        with found_in as (asked, named), work_of(means, asked) as job:
            whole = replace(asked, job=job)
            restore_from_archive(whole, named, dry_run=dry_run, yes=yes, json=json)
        return
    of_a_log = from_archive or from_remote or writer or as_of or skip_unreadable or rules != AUTO
    if source is None or of_a_log or not means.is_plain:
        raise UsageError(_WHAT)
    found = find_source(source, folder, target)
    _say_what_is_there(target, folder)
    restoring = RestoreRequest(
        found,
        target,
        folder,
        key,
        allow_environment_mismatch=allow_environment_mismatch,
        raw_storage=raw_storage(target),
    )
    if dry_run:
        _show_plan(restoring, json=json)
    else:
        _ask_and_put_back(restoring, yes=yes, json=json)


def _say_what_is_there(target: Path, vault: Path) -> None:
    """Say what could be salvaged of a target that is damaged, before anything takes its place."""
    from neotoma_core.files.scratch import private_scratch
    from neotoma_core.runs.judging import ruin_text

    with private_scratch() as scratch:
        text = ruin_text(target, vault, scratch)
    if text:
        print(text, file=sys.stderr)


def _show_plan(request: "RestoreRequest", *, json: bool) -> None:
    from datetime import UTC, datetime

    from neotoma_core.restore.report import changes_text
    from neotoma_core.restore.restore import plan_restore

    plan = plan_restore(request, datetime.now(UTC))
    if json:
        print(plan.to_json())
        return
    print(f"{request.source.origin:<10} found: it holds {request.source.says}")
    print(changes_text(plan))
    print(LEFT_ALONE)


def _ask_and_put_back(request: "RestoreRequest", *, yes: bool, json: bool) -> None:
    from datetime import UTC, datetime

    from neotoma_core.restore.report import put_back_text
    from neotoma_core.restore.restore import restore as restore_database

    require_yes(f"put {request.target} back to {request.source.says}?", yes=yes, json=json)
    with asking_session(yes=yes, json=json) as session:
        request = replace(request, guard=session.guard("restoring"))
        report = restore_database(request, datetime.now(UTC), session.progress)
        session.end(report, put_back_text)
