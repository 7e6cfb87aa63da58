"""A merge of entities as Neotoma carries it out (entity_merge.ts), for tests."""

import sqlite3
from contextlib import closing
from pathlib import Path


def merge_entities(
    path: Path, merged: str, survivor: str, merge_id: str, *, at: str, user: str
) -> None:
    """Merge one entity into another in place, with all that Neotoma does to rows."""
    with closing(sqlite3.connect(path)) as connection:
        moved = connection.execute(
            "UPDATE observations SET entity_id = ? WHERE entity_id = ? AND user_id = ?",
            (survivor, merged, user),
        ).rowcount
        edges = connection.execute(
            "SELECT id, relationship_type, source_entity_id, target_entity_id "
            "FROM relationship_observations WHERE user_id = ? AND ? IN "
            "(source_entity_id, target_entity_id)",
            (user, merged),
        ).fetchall()
        for identifier, kind, source, target in edges:
            ends = [survivor if end == merged else end for end in (source, target)]
            key = f"{kind}:{ends[0]}:{ends[1]}"
            there = connection.execute(
                "SELECT 1 FROM relationship_observations WHERE relationship_key = ?", (key,)
            ).fetchone()
            if ends[0] == ends[1] or there:
                connection.execute(
                    "DELETE FROM relationship_observations WHERE id = ?", (identifier,)
                )
            else:
                connection.execute(
                    "UPDATE relationship_observations SET source_entity_id = ?, "
                    "target_entity_id = ?, relationship_key = ? WHERE id = ?",
                    (*ends, key, identifier),
                )
        connection.execute("DELETE FROM entity_snapshots WHERE entity_id = ?", (merged,))
        connection.execute(
            "UPDATE entities SET merged_to_entity_id = ?, merged_at = ? WHERE id = ?",
            (survivor, at, merged),
        )
        connection.execute(
            "INSERT INTO entity_merges VALUES (?, ?, ?, ?, 'same', 'user', ?, ?)",
            (merge_id, user, merged, survivor, moved, at),
        )
        connection.commit()
