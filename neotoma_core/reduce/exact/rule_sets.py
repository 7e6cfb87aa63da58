"""The rules of Neotoma's releases as values: what differs between them is stated here once.

A release with other rules is a further value, and a folder of the conformance corpus that says what
comes out by it; see "Rules by release" in docs/rebuild.md.
"""

from dataclasses import dataclass, replace
from typing import Final, Literal

Head = Literal["index", "latest"]
"""Which observation says the type (and, without a schema, the schema version) of an entity.

``index``: the first in the order of the index that the server's own recomputation walks through:
least source priority, then earliest observed_at, then row number. ``latest``: the first in the
order of Neotoma's merge, and of the server from 0.23 on: latest observed_at, then id.
Upstream: snapshot_computation.ts, cli/index.ts (messy rules, c).
"""

Ties = Literal["declared", "recency"]
"""What decides, under highest_priority, between equal priorities and sources.

``declared``: the time or the id, as the field's tie-breaker says; invalid times are equal to any.
``recency``: whatever the tie-breaker, the latest observed_at, then created_at, then the id; invalid
times are last (format delta, A1).
"""


@dataclass(frozen=True, slots=True)
class RuleSet:
    """How one generation of Neotoma reduces.

    ``name``: as ``--rules`` takes it. ``reads``: what else of it is to say. ``redirects``: whether
    nobody has a snapshot of an entity that points to another (format delta, A2); otherwise those
    users do whose observations were left on it. ``strategies``: those it knows; on a field with
    another one its reduction throws.
    """

    name: str
    head: Head
    ties: Ties
    redirects: bool
    strategies: frozenset[str]
    reads: str = ""

    def __str__(self) -> str:
        """Return what it is called."""
        return f"{self.name}, {self.reads}" if self.reads else self.name


_FIRST: Final = frozenset({"last_write", "highest_priority", "most_specific", "merge_array"})

R22: Final = RuleSet("0.22", "index", "declared", redirects=False, strategies=_FIRST)
R22_MERGED: Final = replace(R22, head="latest", reads="as its merge reads")
R23: Final = RuleSet("0.23", "latest", "recency", redirects=True, strategies=_FIRST)
R26: Final = replace(R23, name="main", strategies=_FIRST | {"merge_array_by_key"})

KNOWN: Final = (R22, R22_MERGED, R23, R26)
"""All that is known, oldest first."""
