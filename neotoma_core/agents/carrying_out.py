"""``apply_recovery`` and ``undo_recovery``: only by a plan, and a yes.

found → the target is what was planned for → a yes → used up → backed up and proven → planned again
from the same bytes with the same effect → written; else nothing is.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from neotoma_core.agents.answers import Done
from neotoma_core.agents.as_of import put_back
from neotoma_core.agents.backing_up import back_up_target
from neotoma_core.agents.planning import (
    approve_command,
    effect,
    hashes_now,
    needs_approval,
    production_of,
)
from neotoma_core.agents.plans import (
    LASTING,
    Found,
    Plan,
    effect_of,
    find_plan,
    keep_plan,
    require_few_waiting,
    use_plan,
)
from neotoma_core.agents.refusals import Refused
from neotoma_core.agents.scope import Protected, Scope
from neotoma_core.agents.sources import Source, begun_run, bound_to
from neotoma_core.agents.vault_tools import read_run
from neotoma_core.comparison.losses import Loss
from neotoma_core.guard.guard import Guard, refuse_production
from neotoma_core.recovery.recover import recover
from neotoma_core.recovery.report import RecoveryReport
from neotoma_core.report.progress import Progress
from neotoma_core.restore.report import changes_text
from neotoma_core.restore.restore import RestoreRequest, plan_restore, restore
from neotoma_core.restore.sources import RestoreSource, find_source
from neotoma_core.vault.backups import FOLDER
from neotoma_core.vault.folder import EVIDENCE

_CHANGED: Final = ("PLAN_CHANGED", "the database or a copy changed since; nothing was changed")
_AGAIN: Final = "call plan_recovery again"


@dataclass(frozen=True, slots=True)
class Answered:
    """What a client answered for its person: it was ``asked``, and said yes."""

    asked: bool = False
    yes: bool = False


def require_plan(scope: Scope, token: str) -> Found:
    """Return the plan of a token, of a database of the scope; raises Refused."""
    found = find_plan([target.vault for target in scope.targets], token, scope.clock())
    scope.target(found.plan.target)
    return found


def carry_out(scope: Scope, token: str, kind: str, answered: Answered, progress: Progress) -> Done:
    """Carry a plan out, once, if a person agreed and nothing changed since.

    Raises Refused, and what the operation raises: then the target is as it was.
    """
    found = require_plan(scope, token)
    made, protected = found.plan, scope.target(found.plan.target)
    if (made.kind == "undo") != (kind == "undo"):
        raise Refused("PLAN_UNKNOWN", "that plan is for the other of the two tools", _AGAIN)
    if hashes_now(protected.path) != made.held:
        raise Refused(*_CHANGED, _AGAIN)
    if not found.approved and needs_approval(scope, made):
        return _waits(protected, token)
    if not found.approved and not answered.asked:
        return _waits(protected, token)
    if not found.approved and not answered.yes:
        return Done(
            outcome="declined",
            target=made.target,
            next_step="the person declined; nothing was changed; the plan can still be used",
        )
    use_plan(found)
    if made.kind == "undo":
        return _undo(scope, protected, found, progress)
    if made.kind == "as-of":
        return put_back(scope, protected, found, _guard(scope, found), progress)
    return _recover(scope, protected, found, progress)


def _where_approved(found: Found) -> str:
    return "at a terminal" if found.approved else "in the client"


def _waits(protected: Protected, token: str) -> Done:
    said = approve_command(token, protected)
    return Done(
        outcome="approval_needed",
        target=str(protected.path),
        next_step=f"ask the person to run `{said}` in a terminal, then call this tool again",
    )


def _recover(scope: Scope, protected: Protected, found: Found, progress: Progress) -> Done:
    made = found.plan
    source = _source(scope, protected, made)
    saved = back_up_target(scope, protected, progress)
    now = scope.clock()
    with begun_run(scope, protected, source, now, progress) as begun:

        def as_planned(report: RecoveryReport) -> bool:
            bound = bound_to(begun)
            return (bound.inputs, bound.held, effect(report)) == (
                made.inputs,
                made.held,
                made.effect,
            )

        report = recover(begun.run, as_planned, progress, _guard(scope, found))
    if report.outcome == "planned":
        raise Refused(*_CHANGED, _AGAIN)
    return Done(
        outcome=report.outcome,
        target=made.target,
        run=report.run,
        backup=saved.backup if saved else None,
        backup_verified=saved is not None or None,
        observations_before=report.before.observations,
        observations_after=report.after.observations,
        agreed=_where_approved(found),
        can_be_undone=report.undo is not None,
        next_step="call get_status and check_snapshots, then tell the person what came back",
    )


def _source(scope: Scope, protected: Protected, made: Plan) -> Source:
    """Return what a plan reads, if it may still be read: a link may lead elsewhere by now."""
    places = tuple(map(Path, made.places))
    backups = (protected.vault / FOLDER).resolve()
    for place in places:
        if not place.resolve().is_relative_to(backups):
            scope.place(str(place))
    return Source(made.search, places, made.mode, made.remote)


def plan_undo(scope: Scope, target: str, run: str, progress: Progress) -> Done:
    """Plan to put a database back to what it was before a run; nothing is changed."""
    protected, now = scope.target(target), scope.clock()
    require_few_waiting(protected.vault, now)
    told = read_run(protected.vault, run)
    if not told.get("can_be_undone") or told.get("outcome") != "published":
        raise Refused("RUN_UNKNOWN", "that run changed nothing that can be undone", "read_report")
    progress.begin("plan")
    report = plan_restore(_undoing(scope, protected, run), now)
    text = (f"undo       run {run}: put {protected.path} back", *changes_text(report).splitlines())
    held = hashes_now(protected.path)
    made = Plan(
        format="1",
        kind="undo",
        run=run,
        target=str(protected.path),
        made_at=now,
        expires_at=now + LASTING,
        search=False,
        places=(),
        mode="undo",
        inputs=(),
        held=held,
        effect=effect_of(report.differences),
        writes=0,
        adds_only=False,
        loss=True,
        text=text,
        production=production_of(scope, protected.path, None),
    )
    token = keep_plan(protected.vault, made)
    said = approve_command(token, protected)
    return Done(
        outcome="planned",
        plan=token,
        target=made.target,
        run=run,
        observations_before=told.get("after", {}).get("observations"),
        observations_after=told.get("before", {}).get("observations"),
        next_step=f"ask the person to run `{said}`, then call undo_recovery with this plan",
    )


def _undo(scope: Scope, protected: Protected, found: Found, progress: Progress) -> Done:
    made = found.plan
    request = _undoing(scope, protected, made.run, _guard(scope, found))
    if effect_of(plan_restore(request, scope.clock()).differences) != made.effect:
        raise Refused(*_CHANGED, _AGAIN)
    report = restore(request, scope.clock(), progress)
    return Done(
        outcome=report.outcome,
        target=made.target,
        backup=report.backup,
        agreed=_where_approved(found),
        can_be_undone=report.undo is not None,
        next_step="call get_status, then tell the person; what was there is kept as evidence",
    )


def _undoing(
    scope: Scope, protected: Protected, run: str, guard: Guard | None = None
) -> RestoreRequest:
    evidence: RestoreSource = find_source(
        str(protected.vault / EVIDENCE / run), protected.vault, protected.path
    )
    return RestoreRequest(
        evidence,
        protected.path,
        protected.vault,
        scope.key,
        guard=guard or Guard(environment=scope.environment),
        raw_storage=protected.raw_storage,
    )


def _guard(scope: Scope, found: Found) -> Guard:
    """Return the guard of the command line: a loss is permitted where a person typed the name."""

    def permit(loss: Loss) -> bool:
        return (found.approved and found.plan.loss) or refuse_production(loss)

    return Guard(permit, scope.environment)


def question_of(scope: Scope, token: str) -> str | None:
    """Return what to ask a person of a plan in their client; None where a yes would not count."""
    try:
        found = require_plan(scope, token)
    except Refused:
        return None
    made = found.plan
    if made.kind != "recover" or found.approved or needs_approval(scope, made):
        return None
    return (
        f"Recover {made.target}? {made.writes:,} rows are added, and no row changes or goes. "
        "A verified backup is taken first, and the recovery can be undone."
    )
