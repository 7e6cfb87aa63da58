"""The rules of Neotoma's releases as values: what differs between them is stated here once."""

from dataclasses import dataclass
from typing import Final, Literal

from neotoma_core.policies import Registry

Head = Literal["index", "latest"]
"""Which observation says the type (and, without a schema, the schema version) of an entity.

``index``: the first in the order of the index that the server's own recomputation walks through:
least source priority, then earliest observed_at, then row number. ``latest``: the first in the
order of Neotoma's merge, and of the server from 0.23 on: latest observed_at, then id.
Upstream: snapshot_computation.ts, cli/index.ts (messy rules, c).
"""


@dataclass(frozen=True, slots=True)
class RuleSet:
    """How one generation of Neotoma reduces."""

    name: str
    head: Head


R22: Final = RuleSet("0.22", head="index")
R22_MERGED: Final = RuleSet("0.22, as its merge reads", head="latest")

_SEEDED: Final = ("submission_config", "peer_config")
"""Types that nothing but the start of Neotoma's server registers (format, 3.7)."""


def rules_of(registry: Registry) -> tuple[RuleSet, tuple[RuleSet, ...]]:
    """Return the rules a database is reduced by, and further ones that may explain a row.

    In a database that a server of Neotoma has opened the server's own recomputation decides; in
    any other nothing but Neotoma's merge ever recomputed all.
    """
    served = all(registry.schema_for(name, None) is not None for name in _SEEDED)
    return (R22, (R22_MERGED,)) if served else (R22_MERGED, (R22,))
