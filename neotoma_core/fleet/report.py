"""How an operation over many databases went. Its field names are keys of ``--json`` and stay."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from neotoma_core.errors import AnomalyFound, BackupNotIntact, FleetError
from neotoma_core.report.document import document

Outcome = Literal["ok", "attention", "alarm", "failed", "refused"]
INCOMPLETE: Final = 3
_WORST: Final = (AnomalyFound.exit_code, BackupNotIntact.exit_code)


@dataclass(frozen=True, slots=True)
class FleetRow:
    """One database, or one remote of it.

    ``outcome``: ``ok``, ``attention`` (done, and something should be looked at), ``alarm``
    (something is lost or damaged), ``failed`` (it could not be done), ``refused`` (by what the
    configuration says). ``code``: the exit code of that. ``error``: the class of the error.
    ``said``: what happened, without values. ``seconds``: how long it took. ``attempts``: how often
    it was tried. ``may_pass``: a later run may succeed by itself, as where a lock is held.
    """

    name: str
    target: str
    vault: str
    remote: str | None
    outcome: Outcome
    code: int
    error: str | None
    said: str
    seconds: float
    attempts: int = 1
    may_pass: bool = False

    @property
    def is_alarming(self) -> bool:
        """Whether somebody has to be notified."""
        return self.outcome in ("alarm", "failed", "refused")

    @property
    def label(self) -> str:
        """What it is called."""
        return f"{self.name} to {self.remote}" if self.remote else self.name


@dataclass(frozen=True, slots=True)
class FleetReport:
    """Every database, in the order of the configuration.

    ``seconds``: of the run. ``exit_code``: the worst of all, see ``worst_code``.
    """

    at: str
    operation: str
    runner: str
    workers: int
    rows: tuple[FleetRow, ...]
    seconds: float
    exit_code: int

    def to_json(self) -> str:
        """Return the report as one JSON document."""
        return document(self)

    def require_well(self) -> None:
        """Raise FleetError where a database needs somebody; those that failed worst come first."""
        bad = sorted((row for row in self.rows if row.is_alarming), key=rank)
        if bad:
            raise FleetError([row.label for row in bad], len(self.rows))


def rank(row: FleetRow) -> tuple[int, int]:
    """Return how bad a row is; the least is the worst.

    What is lost (6), what failed its proof (5), what else is damaged; then what could not be done,
    what may pass by itself, what is incomplete.
    """
    if row.outcome == "alarm":
        return 0, _WORST.index(row.code) if row.code in _WORST else len(_WORST)
    if row.is_alarming:
        return (2, 0) if row.may_pass else (1, 0)
    return (3, 0) if row.code else (4, 0)


def worst_code(rows: Iterable[FleetRow]) -> int:
    """Return the exit code of the worst row; of equals the first counts, 0 where there is none."""
    worst = min(rows, key=rank, default=None)
    return worst.code if worst else 0
