"""Random databases that have something to do with each other, and nothing of the code under test.

Ids come from small pools, so that keys meet; cells from smaller ones, so that rows differ now and
then. Entities are merged and split, sources have the same content under different ids.
"""

from collections.abc import Sequence
from typing import Final

from hypothesis import strategies as st

Rows = list[dict[str, object]]
TIMES: Final = [f"2026-02-0{day}T00:00:00.000Z" for day in range(1, 5)]
ENTITIES: Final = ["e1", "e2", "e3", "e4"]
USERS: Final = ["u1", "u2", None]

times = st.sampled_from(TIMES)
entities = st.sampled_from(ENTITIES)
users = st.sampled_from(USERS)
_SHARED: Final = ("observed_at", "created_at", "updated_at", "merged_at", "scope")

words = st.sampled_from(["", "one", "two", None])
source_ids = st.sampled_from(["s1", "s2", "s3"])


def rows(ids: list[str], **cells: st.SearchStrategy[object]) -> st.SearchStrategy[Rows]:
    """Return rows with distinct ids and random cells."""
    row = st.fixed_dictionaries({"id": st.sampled_from(ids), **cells})
    return st.lists(row, max_size=len(ids), unique_by=lambda r: str(r["id"]))


@st.composite
def edges(draw: st.DrawFn) -> Rows:
    """Return relationship observations whose keys name their ends."""
    drawn = draw(
        rows(
            ["r1", "r2", "r3"],
            source_entity_id=entities,
            target_entity_id=entities,
            observed_at=times,
            metadata=words,
        )
    )
    drawn = _of_one_user(drawn)
    key = "KNOWS:{source_entity_id}:{target_entity_id}"
    return [{**r, "relationship_type": "KNOWS", "relationship_key": key.format(**r)} for r in drawn]


def contents() -> st.SearchStrategy[dict[str, Rows]]:
    """Return the rows of a random database, by table."""
    moved = {"user_id": users, "created_at": times}
    return st.fixed_dictionaries(
        {
            "sources": rows(
                ["s1", "s2", "s3"], content_hash=words, user_id=users, mime_type=words
            ).filter(_distinct_contents),
            "entities": rows(
                ENTITIES,
                canonical_name=words,
                updated_at=times,
                merged_to_entity_id=st.one_of(st.none(), entities),
                merged_at=times,
            ),
            "observations": rows(
                ["o1", "o2", "o3", "o4"],
                entity_id=entities,
                observed_at=times,
                fields=words,
                source_id=source_ids,
            ).map(_of_one_user),
            "relationship_observations": edges(),
            "entity_merges": rows(
                ["m1", "m2"], from_entity_id=entities, to_entity_id=entities, **moved
            ).map(_name_by_content),
            "entity_splits": rows(
                ["p1", "p2"],
                source_entity_id=entities,
                new_entity_id=entities,
                idempotency_key=words,
                **moved,
            )
            .filter(_distinct_splits)
            .map(_name_by_content),
            "schema_registry": rows(
                ["g1", "g2", "g3"],
                entity_type=st.just("note"),
                schema_version=st.sampled_from(["1", "2"]),
                scope=st.just("global"),
                active=st.sampled_from([0, 1]),
                schema_definition=words,
            ),
        }
    )


def side_by_side(worlds: Sequence[dict[str, Rows]]) -> dict[str, Rows]:
    """Return many small databases as one, in which none has anything to do with another.

    Merging them all at once takes hardly longer than merging one.
    """
    together: dict[str, Rows] = {}
    for number, world in enumerate(worlds):
        for table, table_rows in world.items():
            together.setdefault(table, []).extend(_apart(row, number) for row in table_rows)
    return together


def _apart(row: dict[str, object], number: int) -> dict[str, object]:
    """Return a row with all its names made a world's own; times and flags stay as they are."""
    return {
        name: f"{cell}/{number}" if isinstance(cell, str) and name not in _SHARED else cell
        for name, cell in row.items()
    }


def _of_one_user(observations: Rows) -> Rows:
    """Return rows whose user follows from their id, which is a hash of what that user sent."""
    return [{**row, "user_id": USERS[int(str(row["id"])[-1]) % len(USERS)]} for row in observations]


def _name_by_content(audits: Rows) -> Rows:
    """Return audit rows under ids of their own: such a row never changes once it is written."""
    return [{**row, "id": repr(sorted(row.items(), key=repr))} for row in audits]


def _distinct_contents(sources: Rows) -> bool:
    return _distinct(sources, "content_hash", "user_id")


def _distinct_splits(splits: Rows) -> bool:
    return _distinct(splits, "user_id", "idempotency_key")


def _distinct(found: Rows, *key: str) -> bool:
    """Return whether the rows keep a unique index, in which a NULL is unlike every other."""
    keys = [tuple(row[name] for name in key) for row in found]
    whole = [k for k in keys if None not in k]
    return len(whole) == len(set(whole))
