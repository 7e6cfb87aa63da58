"""What a database held at a time, from the vault's archive: planned, and put in its place.

Rows that came later go, so that such a plan always needs ``midden approve``.
"""

from datetime import datetime

from neotoma_core.agents.answers import Done, Planned
from neotoma_core.agents.audit import stamp
from neotoma_core.agents.backing_up import back_up_target
from neotoma_core.agents.plain import day_of
from neotoma_core.agents.planning import approve_command, hashes_now, production_of
from neotoma_core.agents.plans import (
    LASTING,
    Found,
    Plan,
    effect_of,
    keep_plan,
    require_few_waiting,
)
from neotoma_core.agents.refusals import Refused
from neotoma_core.agents.scope import Protected, Scope
from neotoma_core.agents.sources import Asked
from neotoma_core.guard.guard import Guard
from neotoma_core.report.progress import Progress
from neotoma_core.restore.from_archive import (
    RestoreArchiveRequest,
    moment_of,
    restore_archive,
)
from neotoma_core.restore.report import ArchiveRestoreReport, text_before
from neotoma_core.vault.folder import ARCHIVE

_CHANGED = ("PLAN_CHANGED", "the database or the archive changed since; nothing was changed")


def plan_as_of(scope: Scope, asked: Asked, progress: Progress) -> Planned:
    """Plan to put a database back to what it held at a time; nothing is changed."""
    protected, now = scope.target(asked.target), scope.clock()
    if asked.copies or asked.folders or asked.backup or asked.remote:
        raise Refused("ONE_SOURCE", "as_of reads the archive; leave the copies out")
    moment = moment_of(asked.as_of)
    require_few_waiting(protected.vault, now)
    text = moment.isoformat(timespec="milliseconds") if moment else ""
    request = _request(scope, protected, text, Guard(environment=scope.environment))
    report = restore_archive(request, now, lambda _: False, progress)
    made = _plan(scope, protected, report, text, now)
    token = keep_plan(protected.vault, made)
    restored = {table.table: table.rows for table in report.restored}
    after = {name: restored.get(name, 0) for name in ("observations", "entities")}
    said = approve_command(token, protected)
    return Planned(
        plan=token,
        kind=made.kind,
        target=made.target,
        expires_at=stamp(made.expires_at),
        mode="as-of",
        uses=[f"the archive, as of {day_of(text)}"],
        not_used=0,
        rows_written=made.writes,
        conflicts=0,
        before={},
        after=after,
        gets_back="what the database held then; later rows go, and can be brought back",
        adds_only=False,
        needs_approval=True,
        next_step=f"show this to the person, ask them to run `{said}`, then call apply_recovery",
    )


def put_back(
    scope: Scope, protected: Protected, found: Found, guard: Guard, progress: Progress
) -> Done:
    """Carry such a plan out; raises Refused where the archive says something else by now."""
    made = found.plan
    saved = back_up_target(scope, protected, progress)
    request = _request(scope, protected, made.run, guard)
    report = restore_archive(
        request, scope.clock(), lambda plan: effect_of(plan.differences) == made.effect, progress
    )
    if report.outcome == "planned":
        raise Refused(*_CHANGED, "call plan_recovery again")
    return Done(
        outcome=report.outcome,
        target=made.target,
        run=report.run,
        backup=saved.backup if saved else None,
        backup_verified=saved is not None or None,
        agreed="at a terminal",
        can_be_undone=report.undo is not None,
        next_step="call get_status, then tell the person; what was there is kept as evidence",
    )


def _plan(
    scope: Scope, protected: Protected, report: ArchiveRestoreReport, moment: str, now: datetime
) -> Plan:
    changes = report.differences
    return Plan(
        format="1",
        kind="as-of",
        run=moment,
        target=str(protected.path),
        made_at=now,
        expires_at=now + LASTING,
        search=False,
        places=(),
        mode="as-of",
        inputs=(),
        held=hashes_now(protected.path),
        effect=effect_of(changes),
        writes=sum(one.inserted + one.changed + one.removed for one in changes),
        adds_only=False,
        loss=True,
        text=tuple(text_before(report).splitlines()),
        production=production_of(scope, protected.path, None),
    )


def _request(
    scope: Scope, protected: Protected, moment: str, guard: Guard
) -> RestoreArchiveRequest:
    return RestoreArchiveRequest(
        archive=protected.vault / ARCHIVE,
        target=protected.path,
        vault=protected.vault,
        as_of=moment,
        key=scope.key,
        guard=guard,
        raw_storage=protected.raw_storage,
    )
