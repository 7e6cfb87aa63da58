"""What an operation takes away, and whether that needs more than a yes. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from neotoma_core.environments import Environment

MOST: Final = 0.9
"""Of the observations: what removes more is guarded."""

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


@dataclass(frozen=True, slots=True)
class Loss:
    """What ``database`` loses. ``share`` of all observations; ``production``: why it is taken for
    a production database, None where it is not.
    """  # noqa: D205 - one sentence

    database: str
    observations: int
    entities: int
    days: int
    share: float
    production: str | None

    def __str__(self) -> str:
        days = f", {self.days:,} days" if self.days else ""
        return (
            f"{self.observations:,} observations, {self.entities:,} entities{days}; "
            f"{int(self.share * 100)} % of everything"
        )


def loss_of(
    name: str, extent: Extent, left: int, set_to: str | None, named: Environment | None
) -> Loss | None:
    """Return what is lost where ``left`` observations remain; None where that is not nearly all.

    ``set_to``: NEOTOMA_ENV. ``named``: what the file's name says.
    """
    lost = extent.observations - left
    if lost <= extent.observations * MOST:
        return None
    share = lost / extent.observations
    why = production_because(extent, set_to, named)
    return Loss(name, lost, extent.entities, extent.days, share, why)


def production_because(extent: Extent, set_to: str | None, named: Environment | None) -> str | None:
    """Return why a database is taken for a production one; None where nothing says so."""
    if (set_to or "").strip().lower() in ("production", "prod"):
        return "NEOTOMA_ENV is set to production"
    if named == "production":
        return "its name says so"
    if extent.observations >= _PRODUCTION_OBSERVATIONS:
        return f"it holds {extent.observations:,} observations"
    if extent.days >= _PRODUCTION_DAYS:
        return f"it was used on {extent.days:,} days"
    return None
