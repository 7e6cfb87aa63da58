"""Is something missing? A backup's counts against those of the verified ones before it. Pure.

The log grows: what was counted once should be there the next time. So the measure of a count is how
far it is below the highest of its history, and the usual drop is what the history itself shows, by
median and spread. Tables that Neotoma prunes or rebuilds itself are not looked at.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median
from typing import Final

from neotoma_core.comparison.identity import share_kept
from neotoma_core.neotoma.tables import TABLES

ALWAYS: Final = 0.9
"""Of the observations: a drop beyond is an alarm whatever the history says."""

HISTORY: Final = 30  # verified backups that are looked back on
_FLOOR: Final = 0.15  # of a count: a smaller drop raises no alarm
_CEILING: Final = 0.5  # a larger one does, however much the history varies
_LOG_CEILING: Final = 0.25  # likewise, of the observations: they are only ever added to
_SPREADS: Final = 6.0
_MAD_TO_SIGMA: Final = 1.4826
_FEW_ROWS: Final = 10  # a loss of fewer raises no alarm, unless almost nothing is left
_TYPE_SHARE: Final = 0.05  # of all entities, from which on a type's loss counts
_SHARE_JUMP: Final = 0.25
_WENT_BACK: Final = timedelta(days=2)
_WATCHED: Final = frozenset(
    table.name for table in TABLES if table.kind in ("log", "registry") or "snapshots" in table.name
)


@dataclass(frozen=True, slots=True)
class Counts:
    """What is counted of one backup.

    ``tables`` and ``types``: rows by table, entities by type. ``tombstones``, ``nulls``: the share
    of observations that say their entity is deleted, and that have a field without a value.
    ``sample``: the first observation ids (see ``identity.py``).
    """

    observations: int
    tables: Mapping[str, int] = field(default_factory=dict)
    types: Mapping[str, int] = field(default_factory=dict)
    newest: datetime | None = None
    tombstones: float = 0.0
    nulls: float = 0.0
    sample: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that is less than it should be: what, how much is usual, how much there is now."""

    what: str
    usual: str
    now: str

    def __str__(self) -> str:
        return f"{self.what}: {self.now}, usually {self.usual}"


def find_anomalies(counts: Counts, history: Sequence[Counts]) -> tuple[Alarm, ...]:
    """Return what is less than it should be.

    ``history``: of the verified backups before, oldest first, none of them after an unexplained
    loss. Without any, nothing is known and nothing is found.
    """
    recent = history[-HISTORY:]
    if not recent:
        return ()
    found = [
        _check_drop(
            "observations", counts.observations, [h.observations for h in recent], _LOG_CEILING
        ),
        _check_vanished(counts, recent[-1]),
        _went_back(counts.newest, recent[-1].newest),
        _check_jump("tombstones", counts.tombstones, [h.tombstones for h in recent], counts),
        _check_jump(
            "observations with empty fields", counts.nulls, [h.nulls for h in recent], counts
        ),
        *_tables(counts, recent),
        *_types(counts, recent),
    ]
    return tuple(alarm for alarm in found if alarm)


def raw_file_loss(now: int, before: Sequence[int]) -> Alarm | None:
    """Return how many raw files fewer are with the database than should be, if that is an alarm.

    ``before``: how many were with it at each of the verified backups before, oldest first.
    """
    recent = before[-HISTORY:]
    return _check_drop("raw files", now, recent) if any(recent) else None


def drop_of(counts: Counts, history: Sequence[Counts]) -> float:
    """Return which share of the observations is missing against the most there were."""
    most = max((h.observations for h in history[-HISTORY:]), default=0)
    return max(0.0, 1 - counts.observations / most) if most else 0.0


def _check_drop(
    what: str, now: int, before: Sequence[int], ceiling: float = _CEILING
) -> Alarm | None:
    most = max(before)
    if now >= most:
        return None
    drop = 1 - now / most
    if drop <= ALWAYS and most - now < _FEW_ROWS:
        return None
    if drop <= min(ceiling, _usual_drop(before)):
        return None
    return Alarm(what, f"{most:,}", f"{now:,}")


def _usual_drop(before: Sequence[int]) -> float:
    """Return the drop up to which a count is as it uses to be."""
    drops, most = [], 0
    for count in before:
        most = max(most, count)
        drops.append(1 - count / most if most else 0.0)
    middle = median(drops)
    spread = median(abs(drop - middle) for drop in drops) * _MAD_TO_SIGMA
    return max(_FLOOR, middle + _SPREADS * spread)


def _check_vanished(counts: Counts, last: Counts) -> Alarm | None:
    """Alarm where rows that were known are gone, also where as many others came."""
    kept = share_kept(last.sample, counts.sample)
    if kept is None or 1 - kept <= _FLOOR or last.observations * (1 - kept) < _FEW_ROWS:
        return None
    return Alarm("observations known before", "all there", f"{kept:.0%}")


def _went_back(now: datetime | None, before: datetime | None) -> Alarm | None:
    if before is None or (now is not None and before - now <= _WENT_BACK):
        return None
    shown = now.date().isoformat() if now else "none"
    return Alarm("newest observation", f"{before.date().isoformat()} or later", shown)


def _check_jump(what: str, now: float, before: Sequence[float], counts: Counts) -> Alarm | None:
    usual = median(before)
    if now - usual <= _SHARE_JUMP or counts.observations * (now - usual) < _FEW_ROWS:
        return None
    return Alarm(what, f"{usual:.0%} of all", f"{now:.0%}")


def _tables(counts: Counts, recent: Sequence[Counts]) -> Iterator[Alarm | None]:
    names = {name for h in recent for name in h.tables} & _WATCHED - {"observations"}
    for name in sorted(names):
        yield _check_drop(name, counts.tables.get(name, 0), [h.tables.get(name, 0) for h in recent])


def _types(counts: Counts, recent: Sequence[Counts]) -> Iterator[Alarm | None]:
    everything = sum(recent[-1].types.values())
    for name in sorted({name for h in recent for name in h.types}):
        before = [h.types.get(name, 0) for h in recent]
        if max(before) >= everything * _TYPE_SHARE:
            yield _check_drop(f"entities of type {name}", counts.types.get(name, 0), before)
