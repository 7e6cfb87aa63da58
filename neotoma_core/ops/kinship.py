"""Whether what is offered to a database is its own: by content first, by name second.

A restore and a recovery ask here before anything is written; whoever means another database says
``--allow-environment-mismatch``.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from neotoma_core.environments import DATABASE_NAMES, Environment, environment_of
from neotoma_core.errors import (
    BackupError,
    DatabaseMismatch,
    EnvironmentMismatch,
    TargetLocked,
)
from neotoma_core.identity import Place, Relation, Sample, knows_nothing_of, relation
from neotoma_core.ops.run import Run
from neotoma_core.ops.vault_copies import known_samples
from neotoma_core.store.kinship import read_log, read_sample, shared_rows
from neotoma_core.store.live_copies import copy_whole

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


def require_own(run: Run, held: Path | None, offers: Sequence[Offer]) -> None:
    """Raise where an offer is of another database than the run's target, or of its environment.

    ``held``: a whole copy of the target, None where there is none. What is of one database with an
    offer that is the target's own is the target's own too.
    Raises DatabaseMismatch, EnvironmentMismatch.
    """
    target = run.request.target
    known = known_samples(run.folders.vault, target)
    own = [Offer(held, target)] if held else []
    strange = list(offers)
    while strange:
        offer, found = _nearest(run, own, strange, known)
        if found == "other" or (found == "unknown" and _is_unheard_of(offer, known)):
            raise DatabaseMismatch(offer.found_at, target, _because(own, found))
        if found != "same":
            _require_no_neighbour(run, offer)
        own.append(offer)
        strange.remove(offer)


def _nearest(
    run: Run, own: Sequence[Offer], strange: Sequence[Offer], known: Sequence[Sample]
) -> tuple[Offer, Relation]:
    """Return the first offer that is the target's own, or may be; else the first of all."""
    judged: dict[Relation, Offer] = {}
    for offer in strange:
        place = _place(run, offer, known)
        found = {_relation(one, offer, place) for one in own} or {"unknown"}
        best = next(one for one in _TELLING if one in found)
        judged.setdefault(best, offer)
        if best == "same":
            break
    nearest = next(one for one in _NEAREST if one in judged)
    return judged[nearest], nearest


def _relation(one: Offer, other: Offer, place: Place) -> Relation:
    shared = shared_rows(one.whole, other.whole, other.found_at)
    logs = read_log(one.whole, one.found_at), read_log(other.whole, other.found_at)
    return relation(*logs, shared, place)


def _place(run: Run, offer: Offer, known: Sequence[Sample]) -> Place:
    """Return what is known of the place an offer comes from."""
    if known:
        found = read_sample(offer.whole, offer.found_at)
        if any(not set(sample.ids).isdisjoint(found.ids) for sample in known):
            return "recorded"
    alike = offer.environment and offer.environment == run.target_environment
    return "alike" if alike else "elsewhere"


def _is_unheard_of(offer: Offer, known: Sequence[Sample]) -> bool:
    """Return whether the vault knows the target, and nothing that is in an offer."""
    if not known:
        return False
    found = read_sample(offer.whole, offer.found_at)
    return all(knows_nothing_of(sample, found) for sample in known)


def _because(own: Sequence[Offer], found: Relation) -> str:
    if found == "unknown":
        return "it has nothing of what the vault knows of that"
    return f"it has nothing in common with {own[0].found_at} that only one database can have made"


def _require_no_neighbour(run: Run, offer: Offer) -> None:
    """Raise EnvironmentMismatch where an offer is of the database of the other environment.

    Neotoma keeps both in one folder, each under its own name.
    """
    ours = run.target_environment
    for environment, path in _neighbours(run, ours):
        with suppress(BackupError, TargetLocked):  # then it tells nothing
            whole = copy_whole(path, Path(mkdtemp(dir=run.folders.work)))
            if _relation(Offer(whole, path), offer, "elsewhere") == "same":
                raise EnvironmentMismatch(offer.found_at, environment, str(ours))


def _neighbours(run: Run, ours: Environment | None) -> Iterator[tuple[Environment, Path]]:
    target = run.request.target
    for environment, name in DATABASE_NAMES.items():
        path = target.absolute().parent / name
        if ours and environment != ours and environment_of(name) == environment and path.is_file():
            yield environment, path
