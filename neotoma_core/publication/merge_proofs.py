"""What can be proven, inside its transaction, of merges of entities.

See ``proving``: each proof says in words what was proven, and what is wrong.
"""

import sqlite3
from collections.abc import Mapping

from neotoma_core.publication.merged_rows import Zombies, find_zombies, read_pointers
from neotoma_core.publication.proofs import Proof


def prove_acyclic(connection: sqlite3.Connection) -> Proof:
    """No entity stands, over others, for itself."""
    pointers = read_pointers(connection)
    circles = _circles(pointers)
    problems = [f"{circles:,} entities are merged in a circle"] if circles else []
    return f"{len(pointers):,} merge pointers lead to a survivor", problems


def prove_no_new_zombies(connection: sqlite3.Connection, before: Zombies) -> Proof:
    """Nothing is on a merged-away entity that was not there before."""
    found = find_zombies(connection)
    new = {name: len(keys - before.get(name, frozenset())) for name, keys in found.items()}
    problems = [
        f"{name}: {rows:,} rows are on an entity that was merged into another"
        for name, rows in new.items()
        if rows
    ]
    return "no row was left on, or put on, a merged-away entity", problems


def _circles(pointers: Mapping[str, str]) -> int:
    """Return how many entities lead nowhere but round."""
    ends: dict[str, bool] = {}
    for start in pointers:
        way: dict[str, None] = {}
        entity = start
        while entity in pointers and entity not in ends and entity not in way:
            way[entity] = None
            entity = pointers[entity]
        circular = entity in way or ends.get(entity, False)
        ends.update(dict.fromkeys(way, circular))
    return sum(ends.values())
