import hashlib

import polars as pl
import pytest

from neotoma_core.neotoma.content_ids import NEEDED, is_proven, mergers, unproven
from neotoma_core.neotoma.frames import ROWID
from tests.support.databases import Row
from tests.support.proven import observe, store, uuid_of

OTHER = "ent_000000000000000000000002"


def is_doubted(table: str, row: Row, merged: dict[str, list[str]] | None = None) -> bool:
    cells = {ROWID: 1, **{name: row.get(name) for name in NEEDED[table]}}
    return unproven(table, pl.DataFrame([cells]), merged or {}).height == 1


def test_an_observation_is_proven_by_the_hash_of_its_content() -> None:
    assert not is_doubted("observations", observe(1))
    assert is_doubted("observations", {**observe(1), "fields": '{"title":"note 2","number":2}'})
    assert is_doubted("observations", {**observe(1), "entity_id": OTHER})
    assert not is_doubted("observations", {**observe(1), "observed_at": "2020"})


def test_an_idempotency_key_is_part_of_the_hash() -> None:
    head = '{"source_id":"s","interpretation_id":"i","entity_id":"e","fields":{}'
    row = {"source_id": "s", "interpretation_id": "i", "entity_id": "e", "fields": "{}"}
    keyed = {**row, "idempotency_key": 'k"'}
    assert not is_doubted(
        "observations", {**keyed, "id": uuid_of(head + ',"idempotency_key":"k\\""}')}
    )
    assert is_doubted("observations", {**row, "id": uuid_of(head + ',"idempotency_key":"k"}')})


def test_an_observation_moved_by_a_merge_of_entities_is_proven_by_where_it_was() -> None:
    merges = pl.DataFrame({"from_entity_id": [OTHER, "b"], "to_entity_id": ["b", OTHER]})
    moved = {**observe(1, OTHER), "entity_id": "b"}
    assert is_doubted("observations", moved)
    assert not is_doubted("observations", moved, mergers(merges))


@pytest.mark.parametrize("what", ["deletion", "restoration"])
def test_a_deletion_is_proven_by_its_time(what: str) -> None:
    digest = hashlib.sha256(f"e:{what}:2026-03-01T00:00:00.000Z".encode()).hexdigest()
    told = '{"_deleted":true,"deleted_at":"2026-03-01T00:00:00.000Z"}'
    row = {"id": digest, "entity_id": "e", "fields": told}
    assert not is_doubted("observations", row)
    assert is_doubted("observations", {**row, "fields": '{"deleted_at":"2026-03-02"}'})
    assert is_doubted("observations", {**row, "fields": "no JSON"})


def test_a_relationship_a_source_and_an_event_are_proven_too() -> None:
    text = (
        '{"source_id":null,"interpretation_id":null,"relationship_key":"k","canonical_hash":null}'
    )
    relation = {"id": uuid_of(text), "relationship_key": "k"}
    assert not is_doubted("relationship_observations", relation)
    assert is_doubted("relationship_observations", {**relation, "canonical_hash": "h"})
    assert not is_doubted("sources", store(1))
    assert is_doubted("sources", {**store(1), "content_hash": "x"})
    digits = list(hashlib.sha256(b":e:f:t").hexdigest()[:32])
    digits[12], digits[16] = "4", "a"
    joined = "".join(digits)
    dashed = "-".join((joined[:8], joined[8:12], joined[12:16], joined[16:20], joined[20:]))
    event = {"id": dashed, "entity_id": "e", "source_field": "f", "event_timestamp": "t"}
    assert not is_doubted("timeline_events", event)


def test_a_random_id_proves_nothing_either_way() -> None:
    random = {**store(1), "id": "6f1c2a9e-8a5b-4c3d-9e0f-1a2b3c4d5e6f"}
    assert not is_doubted("sources", random)
    assert not is_proven("sources", random)
    assert unproven("entities", pl.DataFrame({ROWID: [1], "id": ["x"]}), {}).is_empty()
    assert not is_proven("entities", {"id": "x"})
