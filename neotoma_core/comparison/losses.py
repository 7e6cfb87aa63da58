"""What an operation takes away, and whether that needs more than a yes. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from neotoma_core.neotoma.environments import Environment

MOST: Final = 0.9
"""Of the observations: what takes away more is guarded."""

_PRODUCTION_OBSERVATIONS: Final = 1_000
_PRODUCTION_DAYS: Final = 14


@dataclass(frozen=True, slots=True)
class Extent:
    """How much a database holds."""

    observations: int
    entities: int
    first: datetime | None = None
    last: datetime | None = None

    @property
    def days(self) -> int:
        """Over how many days it was observed."""
        if self.first is None or self.last is None:
            return 0
        return (self.last.date() - self.first.date()).days + 1

    @property
    def all_rows(self) -> "LostRows":
        """Everything it holds, as rows that would be lost."""
        return LostRows(self.observations, self.entities)


@dataclass(frozen=True, slots=True)
class LostRows:
    """Rows that a database has before an operation and would not have after it."""

    observations: int
    entities: int


@dataclass(frozen=True, slots=True)
class Loss:
    """What ``database`` loses. ``share`` of its observations; ``days`` over which it was observed.

    ``production``: why it is taken for a production database, None where it is not.
    """

    database: str
    observations: int
    entities: int
    days: int
    share: float
    production: str | None

    @property
    def is_nearly_all(self) -> bool:
        """Whether so much is lost that a yes is not enough."""
        return self.observations > 0 and self.share > MOST

    def __str__(self) -> str:
        days = f", {self.days:,} days" if self.days else ""
        return (
            f"{self.observations:,} observations, {self.entities:,} entities{days}; "
            f"{int(self.share * 100)} % of everything"
        )


def loss_of(
    name: str, held: Extent, lost: LostRows, set_to: str | None, named: Environment | None
) -> Loss:
    """Return what the loss of some rows means to a database.

    ``held``: what it holds now. ``set_to``: the environment the user or NEOTOMA_ENV names.
    ``named``: the one that the file's name speaks of.
    """
    share = lost.observations / held.observations if held.observations else 1.0
    why = production_because(held, set_to, named)
    return Loss(name, lost.observations, lost.entities, held.days, share, why)


def production_because(held: Extent, set_to: str | None, named: Environment | None) -> str | None:
    """Return why a database is taken for a production one; None where nothing says so."""
    if (set_to or "").strip().lower() in ("production", "prod"):
        return "the environment is set to production"
    if named == "production":
        return "its name says so"
    if held.observations >= _PRODUCTION_OBSERVATIONS:
        return f"it holds {held.observations:,} observations"
    if held.days >= _PRODUCTION_DAYS:
        return f"it was used on {held.days:,} days"
    return None
