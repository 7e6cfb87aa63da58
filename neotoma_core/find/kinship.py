"""Whether what is offered to a database is its own: by content first, by name second.

A restore and a recovery ask here before anything is written; whoever means another database says
``--allow-environment-mismatch``.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from neotoma_core.comparison.identity import Place, Relation, Sample, knows_nothing_of, relation
from neotoma_core.comparison.logs_in_common import Copies, WholeCopy
from neotoma_core.errors import (
    BackupError,
    DatabaseMismatch,
    EnvironmentMismatch,
    TargetLocked,
)
from neotoma_core.find.vault_copies import read_samples
from neotoma_core.neotoma.environments import DATABASE_NAMES, Environment, environment_of
from neotoma_core.runs.run import Run
from neotoma_core.sqlite.live_copies import copy_whole

_TELLING: Final[tuple[Relation, ...]] = ("same", "begun anew", "other", "unknown")
"""Which of an offer's relations counts: one that tells before one that does not."""
_NEAREST: Final[tuple[Relation, ...]] = ("same", "begun anew", "unknown", "other")
"""Which of several offers is taken first: it may prove that the others belong."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One whole, sound database that is to give rows to a target, or to take its place.

    ``found_at``: what the user calls it. ``environment``: as its name or its manifest says.
    """

    whole: Path
    found_at: Path
    environment: Environment | None = None

    @property
    def copy(self) -> WholeCopy:
        """The same, to be read."""
        return WholeCopy(self.whole, self.found_at)


@dataclass
class _Reading:
    """What one run has read, and will not read again: copies, and the vault's samples."""

    run: Run
    known: Sequence[Sample]
    copies: Copies = field(default_factory=Copies)

    @cached_property
    def neighbours(self) -> list[tuple[Environment, Offer]]:
        """Whole copies of the databases of other environments, which lie next to the target."""
        return list(_neighbours(self.run))

    def relation(self, one: Offer, other: Offer, place: Place) -> Relation:
        """Return what one copy is to another."""
        logs = self.copies.log(one.copy), self.copies.log(other.copy)
        return relation(*logs, self.copies.shared(one.copy, other.copy), place)


def require_own(run: Run, held: Path | None, offers: Sequence[Offer]) -> None:
    """Raise where an offer is of another database than the run's target, or of its environment.

    ``held``: a whole copy of the target, None where there is none. What is of one database with an
    offer that is the target's own is the target's own too.
    Raises DatabaseMismatch, EnvironmentMismatch.
    """
    target = run.path
    reading = _Reading(run, read_samples(run.folders.vault, target))
    own = [Offer(held, target)] if held else []
    strange = list(offers)
    while strange:
        offer, found = _nearest(reading, own, strange)
        if found == "other" or (found == "unknown" and _is_unheard_of(reading, offer)):
            raise DatabaseMismatch(offer.found_at, target, _because(own, found))
        if found != "same":
            _require_no_neighbour(reading, offer)
        own.append(offer)
        strange.remove(offer)


def _nearest(
    reading: _Reading, own: Sequence[Offer], strange: Sequence[Offer]
) -> tuple[Offer, Relation]:
    """Return the first offer that is the target's own, or may be; else the first of all."""
    judged: dict[Relation, Offer] = {}
    for offer in strange:
        place = _place(reading, offer)
        found = {reading.relation(one, offer, place) for one in own} or {"unknown"}
        best = next(one for one in _TELLING if one in found)
        judged.setdefault(best, offer)
        if best == "same":
            break
    nearest = next(one for one in _NEAREST if one in judged)
    return judged[nearest], nearest


def _place(reading: _Reading, offer: Offer) -> Place:
    """Return what is known of the place an offer comes from."""
    if reading.known:
        found = reading.copies.sample(offer.copy)
        if any(not set(sample.ids).isdisjoint(found.ids) for sample in reading.known):
            return "recorded"
    alike = offer.environment and offer.environment == reading.run.target_environment
    return "alike" if alike else "elsewhere"


def _is_unheard_of(reading: _Reading, offer: Offer) -> bool:
    """Return whether the vault knows the target, and nothing that is in an offer."""
    if not reading.known:
        return False
    found = reading.copies.sample(offer.copy)
    return all(knows_nothing_of(sample, found) for sample in reading.known)


def _because(own: Sequence[Offer], found: Relation) -> str:
    if found == "unknown":
        return "it has nothing of what the vault knows of that"
    return f"it has nothing in common with {own[0].found_at} that only one database can have made"


def _require_no_neighbour(reading: _Reading, offer: Offer) -> None:
    """Raise EnvironmentMismatch where an offer is of the database of the other environment.

    Neotoma keeps both in one folder, each under its own name.
    """
    for environment, neighbour in reading.neighbours:
        with suppress(BackupError):  # then it tells nothing
            if reading.relation(neighbour, offer, "elsewhere") == "same":
                ours = str(reading.run.target_environment)
                raise EnvironmentMismatch(offer.found_at, environment, ours)


def _neighbours(run: Run) -> Iterator[tuple[Environment, Offer]]:
    target, ours = run.path, run.target_environment
    for environment, name in DATABASE_NAMES.items():
        path = target.absolute().parent / name
        if ours and environment != ours and environment_of(name) == environment and path.is_file():
            with suppress(BackupError, TargetLocked):
                whole = copy_whole(path, Path(mkdtemp(dir=run.folders.work)))
                yield environment, Offer(whole, path)
