"""Which evidence of a vault stays, with reasons: by its age, and by what only it still has."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from neotoma_core.erased.hashed import ErasedIds
from neotoma_core.errors import DiskFull, MiddenError
from neotoma_core.kept_evidence.folders import UNTOLD, KeptEvidence, open_evidence
from neotoma_core.kept_evidence.logs import ReadLog, read_logs
from neotoma_core.kept_evidence.retention import KEPT_FOR, reasons_to_keep
from neotoma_core.kept_evidence.rows import UniqueRows, compare_all
from neotoma_core.vault.folder import require_room

_TIMES: Final = 2  # the bytes of what is compared: itself with its log applied, and one copy more


@dataclass(frozen=True, slots=True)
class EvidenceItem:
    """The evidence of one run, whether it stays, and why."""

    run: str
    folder: str
    stays: bool
    reasons: tuple[str, ...]
    bytes: int


@dataclass(frozen=True, slots=True)
class EvidenceRule:
    """How long evidence stays at least; ``held``: why none may go. ``erased`` rows keep none.

    ``compared``: with how many copies it is compared at most; None: with all that stay.
    """

    now: datetime
    erased: ErasedIds
    within: timedelta = KEPT_FOR
    held: str = ""
    compared: int | None = None


@dataclass(frozen=True, slots=True)
class _Candidate:
    """Evidence that goes if other copies have its rows. ``rows``: of each of its databases."""

    kept: KeptEvidence
    rows: tuple[UniqueRows, ...]
    wholes: tuple[Path, ...]

    @property
    def unique(self) -> int:
        """How many rows only it has."""
        return sum(one.count for one in self.rows)


def plan_evidence(
    evidence: Sequence[KeptEvidence],
    rule: EvidenceRule,
    scratch: Path,
    staying: Callable[[], Iterator[Path]],
) -> tuple[EvidenceItem, ...]:
    """Decide which evidence stays. Old evidence goes where all its rows are in what stays.

    ``staying``: yields the whole copies that stay, one at a time. What cannot be read or compared
    stays, too.
    """
    facts = [one.facts for one in evidence]
    reasons = dict(reasons_to_keep(facts, within=rule.within, now=rule.now, held=rule.held))
    old = [one for one in evidence if not reasons[one.facts.run]]
    if old:
        reasons |= _compare(old, rule, scratch, staying)
    return tuple(_item(one, reasons[one.facts.run]) for one in evidence)


def _item(kept: KeptEvidence, reasons: tuple[str, ...]) -> EvidenceItem:
    said = reasons or ("all its rows are in copies that stay",)
    return EvidenceItem(kept.facts.run, str(kept.folder), bool(reasons), said, kept.bytes)


def _compare(
    old: Sequence[KeptEvidence],
    rule: EvidenceRule,
    scratch: Path,
    staying: Callable[[], Iterator[Path]],
) -> dict[str, tuple[str, ...]]:
    """Return why old evidence stays all the same, by run; nothing where it may go."""
    reasons: dict[str, tuple[str, ...]] = {}
    with ExitStack() as stack:
        candidates: list[_Candidate] = []
        try:
            has_logs = any(one.logs for one in old)
            read = stack.enter_context(read_logs(rule.erased, scratch)) if has_logs else None
            for one in old:
                require_room(scratch, _TIMES * one.bytes)
                place = Path(stack.enter_context(TemporaryDirectory(dir=scratch)))
                candidate = _open(one, rule.erased, place, read)
                if candidate is None:
                    reasons[one.facts.run] = (UNTOLD,)
                else:
                    candidates.append(candidate)
            compare_all(
                [rows for c in candidates for rows in c.rows], islice(staying(), rule.compared)
            )
        except DiskFull:
            full = ("too little free space to compare it with what stays",)
            return {one.facts.run: full for one in old}
        return reasons | _among_themselves(candidates, rule)


def _open(
    kept: KeptEvidence, erased: ErasedIds, scratch: Path, read: ReadLog | None
) -> _Candidate | None:
    """Return evidence with its rows; None where any of it is not what was kept, or unreadable."""
    try:
        wholes = tuple(open_evidence(kept, scratch, read))
        rows = tuple(UniqueRows(whole, whole, erased) for whole in wholes)
    except DiskFull:
        raise
    except (MiddenError, OSError):
        return None
    return _Candidate(kept, rows, wholes)


def _among_themselves(
    candidates: Sequence[_Candidate], rule: EvidenceRule
) -> dict[str, tuple[str, ...]]:
    """Return why candidates stay: of the same rows that nothing else has, the newest copy does."""
    reasons: dict[str, tuple[str, ...]] = {}
    for number in range(len(candidates) - 1, -1, -1):
        one = candidates[number]
        reasons[one.kept.facts.run] = ()
        if one.unique:
            what = f"the only copy of {one.unique:,} rows"
            if rule.compared is not None:
                what = f"{one.unique:,} rows that the {rule.compared} copies compared lack"
            reasons[one.kept.facts.run] = (what,)
            compare_all([rows for c in candidates[:number] for rows in c.rows], iter(one.wholes))
    return reasons
