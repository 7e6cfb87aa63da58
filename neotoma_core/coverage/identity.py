"""Which copies are of the same database: those that share what only one database can have made."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations, pairwise

from neotoma_core.comparison.identity import NOTHING_SHARED, Shared, is_same_memory, relation
from neotoma_core.coverage.copies import Copy
from neotoma_core.coverage.held import Held
from neotoma_core.neotoma.environments import Environment

Family = tuple[int, ...]


def families(
    copies: Sequence[Copy],
    made: Iterable[Held],
    stated: Iterable[Held],
    together: Iterable[Family] = (),
) -> tuple[Family, ...]:
    """Return the copies grouped by the database they descend from, the best known database first.

    ``made``: rows with an id that is random, or observations with the very moment of their
    creation: one of them in two copies proves that both descend from one database. ``stated``:
    observations by id alone. An id is a hash of what was observed, so two databases share it when
    the same thing was stored in both. That proves nothing unless it is most of what one of them
    has: then it is the same memory, started over, as after a reset. ``together``: copies that are
    known to be of one database, whatever they hold.
    """
    group = {copy.number: copy.number for copy in copies}
    observations = {copy.number: copy.observations for copy in copies}

    def root(number: int) -> int:
        while group[number] != number:
            number = group[number]
        return number

    def join(one: int, other: int) -> None:
        group[max(root(one), root(other))] = min(root(one), root(other))

    for members in together:
        for one, other in pairwise(number for number in members if number in group):
            join(one, other)
    for pair in count_shared(made):
        join(*pair)
    for (one, other), rows in count_shared(stated).items():
        if is_same_memory(Shared(0, rows), observations[one], observations[other]):
            join(one, other)
    found: dict[int, list[int]] = {}
    for number in sorted(group):
        found.setdefault(root(number), []).append(number)
    return tuple(
        tuple(members)
        for members in sorted(found.values(), key=lambda m: (-max(observations[n] for n in m), m))
    )


def count_shared(held: Iterable[Held]) -> dict[tuple[int, int], int]:
    """Return how many rows each pair of copies has in common; pairs without any are left out."""
    rows: dict[tuple[int, int], int] = {}
    for one in held:
        for pair in combinations(sorted(one.holders), 2):
            rows[pair] = rows.get(pair, 0) + one.rows
    return rows


def environment_by_content(family: Family, copies: Mapping[int, Copy]) -> Environment | None:
    """Return the environment most observations of a family are said to be of by their files."""
    votes: dict[Environment, int] = {}
    for copy in (copies[number] for number in family):
        if copy.environment:
            votes[copy.environment] = votes.get(copy.environment, 0) + 1 + copy.observations
    return max(votes, key=lambda environment: (votes[environment], environment), default=None)


def family_of_target(
    target: int | None,
    expected: Environment | None,
    found: Sequence[Family],
    copies: Mapping[int, Copy],
    stated: Iterable[Held],
) -> tuple[Family, ...]:
    """Return the families that may be the target's own: one if it is certain, else several.

    A target that shares rows with others is of their family. One that is gone, empty or started
    over shares nothing; then every database of its environment may be it; one that holds rows of
    its own is in none of those families. ``expected``: the environment its name speaks of.
    """
    others = [family for family in found if any(n != target for n in family)]
    if target is not None:
        for family in others:
            if target in family:
                return (family,)
        common = {
            family: sum(
                rows
                for pair, rows in count_shared(stated).items()
                if target in pair and any(n in pair for n in family if n != target)
            )
            for family in others
        }
        closest = max(common.values(), default=0)
        if closest:
            return (next(family for family in others if common[family] == closest),)
    return tuple(
        family
        for family in others
        if (environment_by_content(family, copies) in (expected, None) or expected is None)
        and (target is None or _may_be(copies[target], expected, family, copies))
    )


def _may_be(
    target: Copy, expected: Environment | None, family: Family, copies: Mapping[int, Copy]
) -> bool:
    """Return whether a target that shares nothing with a family may be of it all the same."""
    return any(
        relation(
            target.log,
            copies[number].log,
            NOTHING_SHARED,
            "alike" if expected and copies[number].environment == expected else "elsewhere",
        )
        != "other"
        for number in family
        if number != target.number
    )
