"""What a run has done so far: the one place that knows whether its target is old or new.

A run begins by naming its target. The instant a commit or a rename has made the target new, that is
recorded, and every message about what a failure left behind is made from it.
"""

import contextvars
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from neotoma_core.words.shell_words import midden_command

UNCHANGED: Final = "nothing was changed"
UNDO_ASKS: Final = (
    "the undo asks first; --yes answers, except where a production database would lose nearly all"
)
"""What a printed undo does before it changes anything: it is a restore, which asks."""


@dataclass(slots=True)
class RunRecord:
    """One run. ``undo``: the command that puts the old target back, where there will be one.

    ``certain``: False from the moment a commit begins until it is known how it ended. ``besides``:
    what was done to something else than the target, and stays, in words.
    """

    target: Path | None = None
    vault: Path | None = None
    undo: str = ""
    committed: bool = False
    certain: bool = True
    inputs: list[Path] = field(default_factory=list)
    besides: list[str] = field(default_factory=list)

    @property
    def has_changed(self) -> bool:
        """Whether the target was changed, may have been, or can be put back."""
        return self.committed or not self.certain or bool(self.undo)


_current: contextvars.ContextVar[RunRecord | None] = contextvars.ContextVar("run", default=None)


def run_record() -> RunRecord:
    """Return the record of this thread's run; one of nothing where none has begun."""
    known = _current.get()
    if known is None:
        known = RunRecord()
        _current.set(known)
    return known


def begin_record(target: Path | None = None, vault: Path | None = None) -> RunRecord:
    """Reset the record of a run: it has committed nothing."""
    _current.set(RunRecord(target, vault))
    return run_record()


def committing(database: Path) -> None:
    """Record that a commit to ``database`` begins; how it ends is not known before it has."""
    record = run_record()
    if _is_target(record, database):
        record.certain = False


def record_commit(database: Path) -> None:
    """Record that ``database`` is new now; scratch is never a run's target, so not recorded."""
    record = run_record()
    if _is_target(record, database):
        record.committed = record.certain = True


def record_rollback(database: Path) -> None:
    """Record that a commit to ``database`` did not come about."""
    record = run_record()
    if _is_target(record, database):
        record.certain = True


def done_besides(words: str) -> None:
    """Record what was done to something else than the target, as words for it."""
    besides = run_record().besides
    if words not in besides:
        besides.append(words)


def what_is_done(unchanged: str = UNCHANGED, target: Path | None = None) -> str:
    """Return what became of the run's target, as words for a message.

    ``unchanged``: where nothing did. ``target``: the one the message is of, where it is of one: a
    process may have had another before.
    """
    record = run_record()
    if target is not None and not _is_target(record, target):
        return unchanged
    if record.committed:
        undo = f"; undo: {record.undo}; {UNDO_ASKS}" if record.undo else ""
        return f"the target {record.target} was already changed, and that stays{undo}"
    if not record.certain:
        undo = f"; {record.undo} puts the old one back; {UNDO_ASKS}" if record.undo else ""
        return f"whether the target {record.target} was changed is not known{undo}"
    besides = " and ".join(record.besides)
    return f"{unchanged}, except for {besides}" if besides else unchanged


def run_command(*words: str | Path, then: Sequence[str | Path] = ()) -> str:
    """Return a command for the run's target and vault, as far as they are known."""
    record = run_record()
    return midden_command(*words, target=record.target, vault=record.vault, then=then)


def _is_target(record: RunRecord, database: Path) -> bool:
    return record.target is not None and record.target.resolve() == database.resolve()
