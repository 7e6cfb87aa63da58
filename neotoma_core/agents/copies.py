"""Finding and comparing copies: ``get_status``, ``find_copies`` and ``compare_copies``."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from neotoma_core.agents.answers import (
    Compared,
    Comparison,
    Copies,
    Copy,
    DatabaseStatus,
    Status,
)
from neotoma_core.agents.pages import Page
from neotoma_core.agents.plain import count_names, day_of, in_words, plain_name, plain_path
from neotoma_core.agents.refusals import Refused
from neotoma_core.agents.scope import Protected, Scope
from neotoma_core.find.search import SearchRequest
from neotoma_core.find.status import check_status, find_copies
from neotoma_core.report.inventory import CopyRow, InventoryReport, StatusReport
from neotoma_core.report.progress import Progress
from neotoma_core.runs.begin import Whereabouts

_ID_DIGITS: Final = 10
_LOST: Final = ("wiped", "lacking", "ruined")


@dataclass(slots=True)
class Known:
    """The copies found so far, by their ids, and the last inventory."""

    paths: dict[str, Path] = field(default_factory=dict)
    inventory: InventoryReport | None = None


def search_request(scope: Scope, places: Sequence[Path] = ()) -> SearchRequest:
    """Return where copies may be looked for: below the places, or the folders of the scope."""
    return SearchRequest(tuple(places) or scope.places, key=scope.key)


def places_of(scope: Scope, folders: Sequence[str]) -> tuple[Path, ...]:
    """Return the folders an agent names, each within the scope; raises Refused."""
    return tuple(dict.fromkeys(scope.place(words) for words in folders))


def status(scope: Scope, target: str, progress: Progress) -> Status:
    """Return the state of one database, or of all."""
    asked = (scope.target(target),) if target else scope.targets
    states = [_state_of(scope, one, progress) for one in asked]
    lost = [one for one in states if one.verdict in (*_LOST, "missing")]
    bare = [one for one in states if not one.good_backups]
    if lost:
        then = f"{lost[0].target} lost data: call find_copies, then compare_copies, plan_recovery"
    elif any(one.verdict == "unread" for one in states):
        then = "a database is in use and could not be read: call get_status again in a moment"
    elif bare:
        how = "call backup_now" if scope.recover else "ask the person to run `midden backup`"
        then = f"{bare[0].target} has no good backup: {how}"
    else:
        then = "nothing is missing; check_snapshots compares the state shown with the log"
    return Status(databases=states, next_step=then)


def _state_of(scope: Scope, target: Protected, progress: Progress) -> DatabaseStatus:
    asked = Whereabouts(target.path, target.vault, scope.key, target.raw_storage)
    report = check_status(asked, search_request(scope), scope.clock(), progress)
    protection = report.protection
    return DatabaseStatus(
        target=str(target.path),
        verdict="missing" if report.state == "missing" else report.drop.verdict,
        state=report.state,
        observations=report.observations,
        entities=report.entities,
        first_day=day_of(report.first),
        last_day=day_of(report.last),
        lacks=report.drop.lacks,
        copies=report.copies,
        backups=protection.backups if protection else 0,
        good_backups=protection.good if protection else 0,
        last_backup=day_of(protection.last_backup) if protection else None,
        overdue=protection is not None and protection.overdue_seconds is not None,
        rotation_frozen=protection is not None and protection.frozen,
        unfinished_stores=_count_unfinished(report),
        remotes=_remotes(report),
    )


def _remotes(report: StatusReport) -> list[str]:
    known = report.remotes.remotes if report.remotes else ()
    return [plain_name(one.name, "remote") or "" for one in known]


def _count_unfinished(report: StatusReport) -> int:
    found = report.unfinished
    if found is None:
        return 0
    return len(found.never_stored) + len(found.partly_stored) + len(found.hollow)


def find(
    scope: Scope, known: Known, folders: Sequence[str], asked: Page, progress: Progress
) -> Copies:
    """Find the copies within the scope; a page of them."""
    report = known.inventory if asked.cursor else None
    report = report or _look(scope, known, places_of(scope, folders), progress)
    rows = sorted(report.copies, key=lambda row: (-(row.observations or 0), row.shown))
    start, stop, following = asked.of(len(rows))
    shown = [_copy(scope, row, report) for row in rows[start:stop]]
    then = "call compare_copies to see what each would bring back, then plan_recovery"
    if not rows:
        then = "no copy was found: ask the person for other folders (--folder of `midden mcp`)"
    return Copies(
        found=len(rows),
        files_looked_at=report.files,
        copies=shown,
        cursor=following,
        next_step=then,
    )


def compare(
    scope: Scope, known: Known, target: str, copies: Sequence[str], progress: Progress
) -> Comparison:
    """Compare copies with the target: by counts, days and types, and what would come back."""
    protected = scope.target(target)
    paths = [path_of(scope, known, words) for words in copies]
    report = known.inventory or _look(scope, known, (), progress)
    own = _row_of(report, protected.path)
    rows = [
        row
        for row in report.copies
        if row is not own
        and row.entity_types
        and (_place(row) in paths if paths else not row.same_as)
    ]
    if own is not None and own.database and not paths:
        rows = [row for row in rows if row.database == own.database] or rows
    rows = sorted(rows, key=lambda row: (-(row.exclusive or 0), -(row.observations or 0)))[:_SHOWN]
    held = dict(own.entity_types) if own else {}
    return Comparison(
        target=str(protected.path),
        target_observations=(own.observations or 0) if own else 0,
        target_entities_by_type=count_names(held, "type"),
        copies=[_compare(row) for row in rows],
        gets_back=gain_in_words(held, [row.entity_types for row in rows]),
        next_step=f"call plan_recovery with target {protected.path}",
    )


_SHOWN: Final = 6


def gain_in_words(held: Mapping[str, int], copies: Sequence[Mapping[str, int]]) -> str:
    """Return what copies have more of than the target, type by type, at least."""
    most: dict[str, int] = {}
    for types in copies:
        for name, number in types.items():
            most[name] = max(most.get(name, 0), number)
    gains = {name: number - held.get(name, 0) for name, number in most.items()}
    gains = {name: number for name, number in gains.items() if number > 0}
    return in_words(count_names(gains, "type")) or "nothing that the database lacks"


def path_of(scope: Scope, known: Known, words: str) -> Path:
    """Return the copy an agent names, by id or path, within the scope; raises Refused."""
    if words.startswith("copy-"):
        if words not in known.paths:
            raise Refused("COPY_UNKNOWN", "there is no copy with that id", "call find_copies")
        return scope.place(str(known.paths[words]))
    return scope.place(words)


def _look(
    scope: Scope, known: Known, places: Sequence[Path], progress: Progress
) -> InventoryReport:
    report = find_copies(search_request(scope, places), None, progress)
    known.inventory = report
    for row in report.copies:
        known.paths[_id_of(row)] = _place(row)
    return report


def _place(row: CopyRow) -> Path:
    path = Path(row.path) if row.path_bytes is None else _of_bytes(row.path_bytes)
    return Path(f"{path}!{row.member}") if row.member else path


def _of_bytes(digits: str) -> Path:
    return Path(bytes.fromhex(digits).decode("utf-8", "surrogateescape"))


def _id_of(row: CopyRow) -> str:
    digest = hashlib.sha256(row.shown.encode("utf-8", "surrogatepass")).hexdigest()
    return f"copy-{digest[:_ID_DIGITS]}"


def _row_of(report: InventoryReport, path: Path) -> CopyRow | None:
    return next((r for r in report.copies if not r.member and Path(r.path) == path.resolve()), None)


def _copy(scope: Scope, row: CopyRow, report: InventoryReport) -> Copy:
    twin = next((other for other in report.copies if other.shown == row.same_as), None)
    own = {target.path.resolve() for target in scope.targets}
    return Copy(
        id=_id_of(row),
        path=plain_path(Path(row.path), scope.shown_in_full, row.member or ""),
        state=row.state,
        environment=row.environment,
        database=row.database,
        observations=row.observations,
        entities=row.entities,
        first_day=day_of(row.first),
        last_day=day_of(row.last),
        days=row.days,
        only_here=row.exclusive,
        same_bytes_as=_id_of(twin) if twin else None,
        is_target=not row.member and Path(row.path) in own,
    )


def _compare(row: CopyRow) -> Compared:
    return Compared(
        id=_id_of(row),
        observations=row.observations or 0,
        days=row.days,
        first_day=day_of(row.first),
        last_day=day_of(row.last),
        only_here=row.exclusive,
        entities_by_type=count_names(row.entity_types, "type", most=8),
    )
