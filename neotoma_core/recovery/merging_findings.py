"""Findings of merges of entities that databases tell differently."""

from collections.abc import Iterator

from neotoma_core.merge.plan import MergePlan
from neotoma_core.report.findings import Finding


def merging_findings(merge: MergePlan) -> Iterator[Finding]:
    """Yield what the databases tell differently of merges of entities, and what that takes away."""
    for entity in merge.lineage.contradicted:
        detail = (
            "merged into different entities in different databases; the merge of the database "
            "whose rows win counts"
        )
        yield Finding("merged-differently", entity, detail)
    for entity, into in merge.lineage.closing:
        detail = (
            f"merged into {into} in one database, and the other way round in another; the merge of "
            "the database whose rows win counts, this one is kept as an audit row only"
        )
        yield Finding("merged-both-ways", entity, detail)
    for name, rows in merge.removed.items():
        for edge in rows["id"]:
            detail = (
                f"a row of {name} that would lead from an entity to itself, since entities were "
                "merged; it leaves the database and stays in the evidence and the quarantine"
            )
            yield Finding("self-loop", str(edge), detail)
