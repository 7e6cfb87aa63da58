"""A recovery: what is asked for, and which databases take part in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from neotoma_core.files.keys import KeySource
from neotoma_core.merge.policy import MergeMode, MergePolicy
from neotoma_core.neotoma.tables import MERGED, SECRET, Table
from neotoma_core.report.composition import CompositionReport
from neotoma_core.runs.run import DatabaseRef, Run
from neotoma_core.snapshots.choosing import AUTO
from neotoma_core.sources.wanted import Wanted


@dataclass(frozen=True, slots=True)
class RecoverRequest:
    """What the user asked for.

    ``key``: where the key of encrypted columns is, if anywhere. ``decisions``: the file that says
    what is kept where rows are in conflict. ``decided``: the same from the program that asks, per
    row the backup's label, table, key and side; rows among them may turn out not to be in conflict.
    ``values``: the files of conflicts have the values of both sides. ``names``: the page has
    the names of entities that come back. ``user``: the only user whose
    rows the backups give, where one is named. ``include_auth``: credentials that the target lacks
    are merged, too. ``archived``: what was written is appended to the vault's archive.
    ``raw_storage``: where Neotoma keeps the target's raw files, if not next to it. ``rules``: by
    which to reduce; see ``snapshots.choosing``. ``called``: what reports call a backup that was
    brought here, by its path.
    """

    target: Path
    backups: tuple[Path, ...]
    vault: Path
    policy: MergePolicy = field(default_factory=MergePolicy)
    skip_unreadable: bool = False
    allow_environment_mismatch: bool = False
    schemas: Path | None = None
    key: KeySource | None = None
    decisions: Path | None = None
    decided: tuple[tuple[str, str, str, str], ...] = ()
    values: bool = True
    user: str | None = None
    include_auth: bool = False
    archived: bool = False
    raw_storage: Path | None = None
    rules: str = AUTO
    names: bool = False
    called: Mapping[Path, str] = field(default_factory=dict)

    @property
    def tables(self) -> tuple[Table, ...]:
        """The tables that are merged, what is referred to before what refers to it."""
        return (*MERGED, *(SECRET if self.include_auth else ()))

    @property
    def mode(self) -> MergeMode:
        """What happens to rows that share a key and differ."""
        return self.policy.mode

    @property
    def wanted(self) -> Wanted:
        """What is wanted of the databases that are read."""
        named = (self.user, self.schemas, self.decisions) != (None, None, None)
        only_rows = not named and not self.decided
        return Wanted(self.tables, self.skip_unreadable, only_rows)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A backup that takes no part, and why."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryRun(Run):
    """One recovery, from its start to its report.

    ``left_out`` are backups that could not be read; ``repeated`` those that were named twice, by
    whatever spelling, and are used once. ``composition``: why just these backups, where they were
    searched for.
    """

    request: RecoverRequest
    backups: tuple[DatabaseRef, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    repeated: tuple[Path, ...] = ()
    composition: CompositionReport | None = None

    @property
    def databases(self) -> tuple[DatabaseRef, ...]:
        """The target, where there is one, and the backups."""
        return (*((self.target,) if self.target else ()), *self.backups)
