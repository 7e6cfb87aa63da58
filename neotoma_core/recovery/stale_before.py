"""Snapshots of the target that were stale before a recovery, though it touches nothing of them.

What Neotoma is known to leave stale is put right as well; what nothing explains is left, counted
and named with the command that shows it (messy rules, e; format, 7.3).
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from neotoma_core.report.findings import Finding
from neotoma_core.runs.commands import command_again
from neotoma_core.snapshots.deciding import Decided
from neotoma_core.snapshots.explaining import (
    UNKNOWN,
    History,
    explain_entities,
    explain_relationships,
)
from neotoma_core.snapshots.reading import complete_rows

MOST: Final = 200_000
"""Observations of a target whose snapshots are all compared; beyond, ``rebuild --check`` does."""

_EXPLAINED: Final = 1_000


@dataclass(frozen=True, slots=True)
class StaleBefore:
    """What was found stale.

    ``entities``, ``edges``: keys of the snapshots to put right, too. ``repaired``: snapshots by
    reason. ``left``: snapshots that stay. ``compared``: whether any were looked at.
    """

    entities: pl.DataFrame
    edges: pl.DataFrame
    repaired: Mapping[str, int] = field(default_factory=dict)
    left: int = 0
    compared: bool = True

    def findings(self, target: str) -> Iterator[Finding]:
        """Yield what was stale before."""
        check = command_again("rebuild", then=("--check",))
        for reason, number in self.repaired.items():
            detail = f"{number:,} snapshots were stale before and are put right ({reason})"
            yield Finding("stale-before", target, detail)
        if self.left:
            detail = (
                f"{self.left:,} snapshots were not what the log says before, for no known reason, "
                f"and stay; to list them: {check}"
            )
            yield Finding("stale-before", target, detail)
        if not self.compared:
            detail = (
                f"snapshots of what the backups do not touch were not compared; to do that: {check}"
            )
            yield Finding("not-compared", target, detail)


def nothing_stale(*, compared: bool) -> StaleBefore:
    """Return that no snapshot is stale, as far as was compared."""
    return StaleBefore(
        pl.DataFrame(schema={"entity_id": pl.String}),
        pl.DataFrame(schema={"relationship_key": pl.String}),
        compared=compared,
    )


def stale_before(
    entities: Decided,
    edges: Decided,
    observations: pl.DataFrame,
    relationships: pl.DataFrame,
    history: History,
) -> StaleBefore:
    """Return which of the snapshots that a recovery does not touch it puts right all the same.

    ``entities``, ``edges``: what was decided about them; ``observations``, ``relationships``: the
    rows of the log it was decided from.
    """
    of_entities = _reasons(entities, observations, history)
    of_edges = _reasons(edges, relationships, history)
    repaired: Counter[str] = Counter()
    for reasons in (of_entities, of_edges):
        repaired.update(reason for reason in reasons.values() if reason != UNKNOWN)
    left = [
        key for reasons in (of_entities, of_edges) for key in reasons if reasons[key] == UNKNOWN
    ]
    return StaleBefore(
        _find_explained(entities, of_entities),
        _find_explained(edges, of_edges),
        dict(sorted(repaired.items())),
        len(left),
    )


def _reasons(decided: Decided, log: pl.DataFrame, history: History) -> dict[str, str]:
    """Return why each snapshot is to be written or removed."""
    (key,) = decided.table.key
    written = decided.change.written[key]
    asked = written.head(_EXPLAINED)
    rows = complete_rows(_LOG[decided.table.name], log.filter(pl.col(key).is_in(asked.implode())))
    explain = explain_entities if key == "entity_id" else explain_relationships
    found = explain(rows, decided.stored.only(asked), history)
    removed = dict(decided.gone.join(decided.change.removed, on=key, how="semi").iter_rows())
    return {
        **{name: found.get(name, UNKNOWN) for name in written},
        **{name: why if why == _MERGED_AWAY else UNKNOWN for name, why in removed.items()},
    }


_MERGED_AWAY: Final = "merged-away"
_LOG: Final = {
    "entity_snapshots": "observations",
    "relationship_snapshots": "relationship_observations",
}


def _find_explained(decided: Decided, reasons: Mapping[str, str]) -> pl.DataFrame:
    (key,) = decided.table.key
    keys = [name for name, reason in reasons.items() if reason != UNKNOWN]
    return pl.DataFrame({key: keys}, schema={key: pl.String})
