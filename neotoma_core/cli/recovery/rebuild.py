"""``midden rebuild``: recompute all snapshots from the log, or tell how far they are from it."""

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
from neotoma_core.cli.terminal.options import (
    JSON_OPTION,
    KEY_FILE_OPTION,
    KNOWN_OPTION,
    MNEMONIC_FILE_OPTION,
    OBSERVED_OPTION,
    RULES_OPTION,
    SCHEMAS_OPTION,
    TARGET_OPTION,
    VAULT_OPTION,
    YES_OPTION,
)
from neotoma_core.cli.terminal.session import asking_session
from neotoma_core.documents.asked_times import read_asked_time
from neotoma_core.errors import UsageError
from neotoma_core.snapshots.choosing import AUTO, require_rules

if TYPE_CHECKING:
    from neotoma_core.rebuild.as_of import Export
    from neotoma_core.rebuild.report import RebuildReport
    from neotoma_core.rebuild.request import RebuildRequest
    from neotoma_core.restore.from_archive import RestoreArchiveRequest

DRIFTED: Final = 5
_OF_AN_ARCHIVE: Final = (
    "--archive: name the new database with --out; --target, --check, --dry-run, --entity, --type "
    "and --knowledge do not go with it"
)
_ARCHIVE: Final = typer.Option(
    help="Build a new database, named by --out, from this archive and nothing else.",
    show_default=False,
)
_Check = Annotated[
    bool, typer.Option("--check", help="Only compare; exit with 5 where a snapshot differs.")
]
_Entities = Annotated[
    list[str] | None,
    typer.Option(help="Only this entity and its relationships; repeat it.", show_default=False),
]
_Types = Annotated[
    list[str] | None,
    typer.Option(
        "--type",
        help="Only entities of this type and their relationships; repeat it.",
        show_default=False,
    ),
]
_Out = Annotated[
    Path | None,
    typer.Option(
        help="Write the entity snapshots to this Parquet file, and nothing to the target. With "
        "--archive: the new database.",
        show_default=False,
    ),
]
_DryRun = Annotated[
    bool, typer.Option("--dry-run", "-n", help="Print the plan; leave the target alone.")
]


def rebuild(
    *,
    target: Annotated[Path | None, TARGET_OPTION] = None,
    check: _Check = False,
    entity: _Entities = None,
    type_: _Types = None,
    schemas: Annotated[Path | None, SCHEMAS_OPTION] = None,
    rules: Annotated[str, RULES_OPTION] = AUTO,
    as_of: Annotated[str | None, OBSERVED_OPTION] = None,
    knowledge: Annotated[str | None, KNOWN_OPTION] = None,
    out: _Out = None,
    archive: Annotated[Path | None, _ARCHIVE] = None,
    task_runner: Annotated[TaskRunner, TASK_RUNNER_OPTION] = TaskRunner.THREADS,
    scheduler: Annotated[str | None, SCHEDULER_OPTION] = None,
    parts: Annotated[Path | None, PARTS_OPTION] = None,
    dry_run: _DryRun = False,
    yes: Annotated[bool, YES_OPTION] = False,
    key_file: Annotated[Path | None, KEY_FILE_OPTION] = None,
    mnemonic_file: Annotated[Path | None, MNEMONIC_FILE_OPTION] = None,
    json: Annotated[bool, JSON_OPTION] = False,
    vault: Annotated[Path | None, VAULT_OPTION] = None,
) -> int:
    """Recompute snapshots from the log; write those that differ.

    Asks before it writes, and ends by printing the command that undoes it. With --out nothing is
    written to the target: its entity snapshots, or those it would have had, go to a file. With
    --archive and --out: a new database, as a restore from the archive to a new place would make it.
    """
    from neotoma_core.rebuild.as_of import Export
    from neotoma_core.rebuild.request import RebuildRequest
    from neotoma_core.restore.from_archive import RestoreArchiveRequest
    from neotoma_core.settings.environment import (
        default_vault,
        key_source,
        only_database,
        raw_storage,
    )
    from neotoma_core.settings.used import no_database_named

    means = Means(task_runner, scheduler, parts)
    if archive is not None:
        narrowed = target or check or dry_run or entity or type_ or knowledge is not None
        if narrowed or out is None:
            raise UsageError(_OF_AN_ARCHIVE)
        key, moment = key_source(key_file, mnemonic_file), read_asked_time("--as-of", as_of)
        place = RestoreArchiveRequest(archive, out, vault or default_vault(out), moment)
        built = replace(place, schemas=schemas, key=key, rules=require_rules(rules))
        built = replace(built, raw_storage=raw_storage(out))
        return _build(built, means, json=json)
    if not means.is_plain:
        raise UsageError("--task-runner, --scheduler and --parts go with --archive")
    target = target or only_database()
    if target is None:
        raise no_database_named("with --target, or an archive with --archive")
    if out is None and (as_of is not None or knowledge is not None):
        raise UsageError("--as-of and --knowledge say what goes to a file; name it with --out")
    if out is not None and (check or dry_run):
        raise UsageError("--out was given with --check or --dry-run; leave one out")
    request = RebuildRequest(
        target=target,
        vault=vault or default_vault(target),
        entities=tuple(entity or ()),
        types=tuple(type_ or ()),
        schemas=schemas,
        rules=require_rules(rules),
        key=key_source(key_file, mnemonic_file),
        raw_storage=raw_storage(target),
    )
    if out is not None:
        until = read_asked_time("--as-of", as_of), read_asked_time("--knowledge", knowledge)
        return _export(request, Export(out, *until), json=json)
    if check or dry_run:
        report = _check(request, json=json)
        return DRIFTED if check and report.drifts else 0
    return _rebuild(request, yes=yes, json=json)


def _build(request: "RestoreArchiveRequest", means: Means, *, json: bool) -> int:
    from neotoma_core.cli.recovery.restore_archive import build_at_new_place
    from neotoma_core.cli.remote.archives import archive_here

    with archive_here(request.archive, content=means.reads_here) as here:
        asked = here.name_in(request)
        with work_of(means, asked) as job:
            build_at_new_place(replace(asked, job=job), here.rename, json=json)
    return 0


def _check(request: "RebuildRequest", *, json: bool) -> "RebuildReport":
    from datetime import UTC, datetime

    from neotoma_core.cli.terminal.progress import TerminalProgress
    from neotoma_core.rebuild.rebuild import check_snapshots
    from neotoma_core.rebuild.request import checking_run
    from neotoma_core.rebuild.text import plan_text, result_text

    with TerminalProgress() as progress, checking_run(request, datetime.now(UTC)) as run:
        report = check_snapshots(run, progress)
    print(report.to_json() if json else f"{plan_text(report)}\n{result_text(report)}")
    return report


def _export(request: "RebuildRequest", export: "Export", *, json: bool) -> int:
    from datetime import UTC, datetime

    from neotoma_core.cli.terminal.progress import TerminalProgress
    from neotoma_core.rebuild.as_of import export_snapshots
    from neotoma_core.rebuild.request import checking_run
    from neotoma_core.rebuild.text import export_text

    with TerminalProgress() as progress, checking_run(request, datetime.now(UTC)) as run:
        report = export_snapshots(run, export, progress)
    print(report.to_json() if json else export_text(report))
    return 0


def _rebuild(request: "RebuildRequest", *, yes: bool, json: bool) -> int:
    from datetime import UTC, datetime

    from neotoma_core.rebuild.rebuild import rebuild_snapshots
    from neotoma_core.rebuild.request import rebuild_run
    from neotoma_core.rebuild.text import plan_text, result_text

    with (
        asking_session(yes=yes, json=json) as session,
        rebuild_run(request, datetime.now(UTC)) as run,
    ):
        confirm = session.confirmation(
            plan_text, lambda plan: f"write {plan.writes:,} rows to {plan.target}?"
        )
        session.end(rebuild_snapshots(run, confirm, session.progress), result_text)
    return 0
