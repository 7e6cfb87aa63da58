"""What a vault knows: its backups, its archive, its reports, and how its database drifted."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from neotoma_core.agents.answers import (
    Backup,
    Backups,
    Explained,
    Reports,
    Snapshots,
    TableDrift,
    Version,
)
from neotoma_core.agents.pages import Page
from neotoma_core.agents.plain import (
    count_names,
    day_of,
    is_plain_name,
    plain_id,
    plain_name,
    plain_value,
)
from neotoma_core.agents.refusals import Refused
from neotoma_core.agents.scope import Scope
from neotoma_core.backup.reporting import report_listing
from neotoma_core.errors import VaultDamaged
from neotoma_core.history.reading import entity_history
from neotoma_core.neotoma.json import JsonValue
from neotoma_core.rebuild.rebuild import check_snapshots
from neotoma_core.rebuild.request import RebuildRequest, checking_run
from neotoma_core.report.progress import Progress
from neotoma_core.vault.backups import list_backups
from neotoma_core.vault.folder import ARCHIVE, REPORTS, read_json

REPORT: Final = "report.json"
_RUN: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ(?:-\d{1,6})?")
_BACKUP: Final = re.compile(rf"{_RUN.pattern}-[a-z]+(?:-[a-z]+)?-\d+")
_COUNTED: Final = ("inserted", "identical", "conflict", "reingested", "skipped", "quarantined")


def backups(scope: Scope, target: str, asked: Page) -> Backups:
    """List the backups of a database, newest first."""
    protected = scope.target(target)
    listing = report_listing(str(protected.vault), list_backups(protected.vault), scope.clock())
    newest = listing.listed[::-1]
    start, stop, following = asked.of(len(newest))
    shown = [
        Backup(
            number=one.number,
            backup=one.backup if _BACKUP.fullmatch(one.backup) else f"number {one.number}",
            taken_at=one.taken_at[:19],
            observations=one.observations,
            entities=one.entities,
            standing=one.standing,
            verified=one.verified_at is not None,
            pinned=one.pinned is not None,
        )
        for one in newest[start:stop]
    ]
    then = "plan_recovery takes the number of one as backup; get_status says whether it is needed"
    if not newest:
        then = "call backup_now" if scope.recover else "ask the person to run `midden backup`"
    return Backups(
        target=str(protected.path),
        total=len(newest),
        complete=listing.complete,
        rotation_frozen=listing.frozen,
        backups=shown,
        cursor=following,
        next_step=then,
    )


def snapshots(scope: Scope, target: str, progress: Progress) -> Snapshots:
    """Compare the state a database shows with its log."""
    protected = scope.target(target)
    request = RebuildRequest(
        protected.path, protected.vault, key=scope.key, raw_storage=protected.raw_storage
    )
    with checking_run(request, scope.clock()) as run:
        report = check_snapshots(run, progress)
    tables = [
        TableDrift(
            table=one.table,
            missing=one.missing,
            stale=one.stale,
            unexpected=one.unexpected,
            wrong_count=one.wrong_count,
            reasons=count_names(one.reasons, "reason") if one.reasons else {},
        )
        for one in report.drift
    ]
    then = "the state shown is what the log says; nothing to do"
    if report.drifts:
        then = "ask the person to run `midden rebuild`, which shows its plan and asks"
    return Snapshots(
        target=str(protected.path),
        drifted=report.drifts,
        unexplained=report.unexplained,
        tables=tables,
        run=report.run,
        next_step=then,
    )


def explain_entity(scope: Scope, target: str, entity: str, asked: Page) -> Explained:
    """Return the history of an entity from the archive; values only where they are allowed."""
    protected = scope.target(target)
    report = entity_history(protected.vault / ARCHIVE, entity, scope.key, protected.vault)
    start, stop, following = asked.of(len(report.versions))
    versions = [
        Version(
            observation=plain_id(one.observation),
            version=one.version,
            entity=plain_id(one.entity_id),
            observed_on=day_of(one.observed_at),
            archived_on=day_of(one.archived_at),
            until=day_of(one.until),
            changed=[column for column in one.changed if is_plain_name(column)],
        )
        for one in report.versions[start:stop]
    ]
    stated: dict[str, int] = {}
    for value in report.values:
        stated[value.field] = stated.get(value.field, 0) + 1
    shown: list[dict[str, Any]] = []
    if scope.values:
        shown = [
            {
                "field": plain_name(value.field, "field"),
                "observed_on": day_of(value.observed_at),
                "value": plain_value(value.value),
            }
            for value in report.values[start:stop]
        ]
        if following is None and stop < len(report.values):
            following = str(stop)
    return Explained(
        entity_type=plain_name(report.entity_type, "type"),
        observations=report.observations,
        versions=versions,
        fields=count_names(stated, "field", most=30),
        values=shown,
        cursor=following,
        next_step="this is what the archive knows; plan_recovery brings back what is lost",
    )


def reports(scope: Scope, target: str, run: str, asked: Page) -> Reports:
    """List the runs of a vault that left a report, or tell of one."""
    protected = scope.target(target)
    folder = protected.vault / REPORTS
    if run:
        said = read_run(protected.vault, run)
        return Reports(target=str(protected.path), runs=[said], next_step=_after(scope, said))
    names = sorted(
        (one.name for one in folder.iterdir() if _RUN.fullmatch(one.name))
        if folder.is_dir()
        else (),
        reverse=True,
    )
    start, stop, following = asked.of(len(names))
    found = [_brief(read_run(protected.vault, name)) for name in names[start:stop]]
    return Reports(
        target=str(protected.path),
        runs=found,
        cursor=following,
        next_step="call read_report with one of the runs" if found else "no run left a report yet",
    )


def read_run(vault: Path, run: str) -> dict[str, Any]:
    """Return what the report of a run says, without names that come from outside."""
    if not _RUN.fullmatch(run):
        raise Refused(
            "RUN_UNKNOWN", "that is not the name of a run", "call read_report without run"
        )
    file = vault / REPORTS / run / REPORT
    if file.is_symlink() or not file.is_file():
        raise Refused("RUN_UNKNOWN", "no run of that name left a report", "call read_report")
    try:
        said = read_json(file)
    except VaultDamaged:
        said = None
    return _summary_of(run, said if isinstance(said, dict) else {})


def _summary_of(run: str, said: Mapping[str, JsonValue]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "run": run,
        "outcome": _word(said.get("outcome")),
        "mode": _word(said.get("mode")),
        "rows_written": _number(said.get("writes")),
        "can_be_undone": isinstance(said.get("undo"), str),
    }
    for moment in ("before", "after"):
        counts = said.get(moment)
        if isinstance(counts, dict):
            told[moment] = contents(counts)
    tables = [one for one in _list(said.get("tables")) if isinstance(one, dict)]
    told["rows"] = {
        name: sum(_number(one.get(name)) or 0 for one in tables) for name in _COUNTED if tables
    }
    checks = [one for one in _list(said.get("checks")) if isinstance(one, dict)]
    told["checks_passed"] = sum(one.get("passed") is True for one in checks)
    told["checks"] = len(checks)
    kinds: dict[str, int] = {}
    for one in _list(said.get("findings")):
        kind = _word(one.get("kind")) if isinstance(one, dict) else None
        kinds[kind or "?"] = kinds.get(kind or "?", 0) + 1
    told["findings"] = kinds
    return {name: value for name, value in told.items() if value is not None}


def contents(counts: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a database holds, of a report: counts and days."""
    names = ("observations", "entities", "entity_snapshots", "relationship_snapshots")
    held: dict[str, Any] = {name: _number(counts.get(name)) for name in names}
    for name in ("first", "last"):
        moment = counts.get(name)
        held[f"{name}_day"] = day_of(moment) if isinstance(moment, str) else None
    return held


def _brief(told: Mapping[str, Any]) -> dict[str, Any]:
    return {name: told[name] for name in ("run", "outcome", "rows_written") if name in told}


def _after(scope: Scope, told: Mapping[str, Any]) -> str:
    if told.get("can_be_undone") and scope.recover:
        return "call get_status to see the result; undo_recovery takes this run"
    return "call get_status"


def _word(value: object) -> str | None:
    return value if isinstance(value, str) and is_plain_name(value) else None


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []
