"""``plan_recovery``: a recovery that is planned and bound to the bytes it was planned from."""

from datetime import datetime
from pathlib import Path
from typing import Final

from neotoma_core.agents.answers import Planned
from neotoma_core.agents.audit import stamp
from neotoma_core.agents.copies import Known
from neotoma_core.agents.plain import plain_path
from neotoma_core.agents.plans import (
    LASTING,
    Plan,
    effect_of,
    keep_plan,
    require_few_waiting,
)
from neotoma_core.agents.scope import Protected, Scope
from neotoma_core.agents.sources import (
    Asked,
    Bound,
    Source,
    begun_run,
    bound_to,
    shown_logs,
    source_of,
)
from neotoma_core.agents.vault_tools import contents
from neotoma_core.comparison.losses import production_because
from neotoma_core.files.headers import INDEX, companions, follow
from neotoma_core.guard.guard import extent_spanning
from neotoma_core.merge.accounting import CLASSES, total
from neotoma_core.neotoma.environments import environment_of
from neotoma_core.recovery.recover import plan_only
from neotoma_core.recovery.report import Contents, RecoveryReport
from neotoma_core.recovery.text import plan_text
from neotoma_core.report.layout import label_line
from neotoma_core.report.progress import Progress
from neotoma_core.settings.environment import vaults_of_user
from neotoma_core.sqlite.copies import sha256_of
from neotoma_core.words.shell_words import midden_command

_CHANGES: Final = ("three_way", "moved")


def plan(scope: Scope, known: Known, asked: Asked, progress: Progress) -> Planned:
    """Plan a recovery; the target is not touched. Raises Refused, and what ``plan_only`` does."""
    protected, now = scope.target(asked.target), scope.clock()
    require_few_waiting(protected.vault, now)
    source = source_of(scope, known, protected, asked)
    with begun_run(scope, protected, source, now, progress) as begun:
        report = plan_only(begun.run, progress)
        bound = bound_to(begun)
    made = _plan(scope, protected, source, (report, bound), now)
    writes = bool(report.writes or report.raw_files.added or report.ruin)
    token = keep_plan(protected.vault, made) if writes else ""
    answer = _answer(scope, protected, made, report, token)
    return answer.model_copy(update={"uses": shown_logs(begun) or answer.uses})


def hashes_now(target: Path) -> tuple[str, ...]:
    """Return the hashes of a target's files as they are now; none where there is no target."""
    if not target.exists():
        return ()
    files = (follow(target), *(f for f in companions(target) if not f.name.endswith(INDEX)))
    return tuple(sorted(map(sha256_of, files)))


def effect(report: RecoveryReport) -> str:
    """Return the check of what a recovery does, by every count of its plan."""
    tables = sorted({counts.table for counts in report.tables})
    rows = [
        (table, *(total(tuple(c for c in report.tables if c.table == table), n) for n in CLASSES))
        for table in tables
    ]
    raw = report.raw_files
    derived = [(d.table, d.inserted, d.updated, d.removed) for d in report.derived]
    return effect_of(
        (report.mode, report.writes, rows, derived, raw.added, raw.added_bytes, report.after)
    )


def adds_only(report: RecoveryReport) -> bool:
    """Return whether no row of the target's log changes or goes."""
    changed = sum(total(report.tables, name) for name in _CHANGES)
    gone = sum(derived.removed for derived in report.derived)
    return report.mode == "keep-target" and report.ruin is None and not changed and not gone


def production_of(scope: Scope, target: Path, held: Contents | None) -> str | None:
    """Return why a database is taken for a production one, as the guard does; else None."""
    extent = (
        extent_spanning(held.observations, held.entities, held.first, held.last)
        if held
        else extent_spanning(0, 0, None, None)
    )
    return production_because(extent, scope.environment, environment_of(target.name))


def needs_approval(scope: Scope, made: Plan) -> bool:
    """Return whether only ``midden approve`` lets a plan go on, whatever a client answers."""
    here = production_of(scope, Path(made.target), None)
    return scope.approve or bool(made.production or here) or not made.adds_only


def approve_command(token: str, protected: Protected) -> str:
    """Return the command that approves a plan; it names a vault that is not where vaults are."""
    vault = protected.vault.absolute()
    found = any(vault == one.absolute() for one in vaults_of_user())
    return midden_command("approve", token, target=None, vault=None if found else vault)


def _plan(
    scope: Scope,
    protected: Protected,
    source: Source,
    planned: tuple[RecoveryReport, Bound],
    now: datetime,
) -> Plan:
    report, bound = planned
    return Plan(
        format="1",
        kind="recover",
        run=report.run,
        target=str(protected.path),
        made_at=now,
        expires_at=now + LASTING,
        search=source.search,
        places=tuple(map(str, source.places)),
        remote=source.remote,
        mode=report.mode,
        inputs=bound.inputs,
        held=bound.held,
        effect=effect(report),
        writes=report.writes,
        adds_only=adds_only(report),
        loss=report.mode != "keep-target",
        text=_text(source, report),
        production=production_of(scope, protected.path, report.before),
    )


def _text(source: Source, report: RecoveryReport) -> tuple[str, ...]:
    remote = (label_line("remote", source.remote),) if source.remote else ()
    return (*remote, *plan_text(report).splitlines())


def _answer(
    scope: Scope, protected: Protected, made: Plan, report: RecoveryReport, token: str
) -> Planned:
    before, after = _contents(report.before), _contents(report.after)
    gained = {name: after[name] - before[name] for name in ("observations", "entities")}
    back = ", ".join(f"{number:,} {name}" for name, number in gained.items() if number > 0)
    approval = needs_approval(scope, made)
    return Planned(
        plan=token,
        kind=made.kind,
        target=made.target,
        expires_at=stamp(made.expires_at),
        mode=made.mode,
        uses=[plain_path(Path(b.path), scope.shown_in_full) for b in report.backups],
        not_used=len(report.not_used),
        rows_written=report.writes,
        conflicts=report.conflicts.rows,
        before=before,
        after=after,
        gets_back=back or "nothing that the database lacks",
        adds_only=made.adds_only,
        needs_approval=approval,
        next_step=_next(scope, protected, token, approval=approval),
    )


def _next(scope: Scope, protected: Protected, token: str, *, approval: bool) -> str:
    if not token:
        return "there is nothing to recover: the database has all that these copies hold"
    if not scope.recover:
        return "show this to the person; they can run `midden recover` themselves"
    if approval:
        said = approve_command(token, protected)
        return f"show this to the person, ask them to run `{said}`, then call apply_recovery"
    return "show this to the person; if they agree, call apply_recovery with this plan"


def _contents(held: Contents) -> dict[str, int]:
    names = Contents.__dataclass_fields__
    return contents({name: getattr(held, name) for name in names})
