"""The rows of a world to erase from.

Whatever has to go with the entity, the observation or the user has a mark in its id, and what it
tells has a planted text; so nothing of it may be found anywhere, whole or in part.
"""

import hashlib
from pathlib import Path
from typing import Any

from tests.support.databases import USER, Row, entity, observation, source

OTHER_USER = "user-gone-u"
LATER = "2026-02-03T00:00:00.000Z"

ENTITY, OBSERVATION, USER_OF_ALL = "ent-gone-e-1", "obs-gone-o-1", OTHER_USER
MARKS = {"entity": "gone-e", "observation": "gone-o", "user": "gone-u"}
PLANTED = {
    "entity": "planted-lighthouse-41",
    "observation": "planted-orchard-52",
    "user": "planted-harbour-63",
}
ASKED: dict[str, dict[str, Any]] = {
    "entity": {"entities": (ENTITY,)},
    "observation": {"observations": (OBSERVATION,)},
    "user": {"users": (USER_OF_ALL,)},
}
ASKED["all"] = ASKED["entity"] | ASKED["observation"] | ASKED["user"]


def name_of(content: str, user: str = USER) -> str:
    return f"{user}/{hashlib.sha256(content.encode()).hexdigest()}"


def put(folder: Path, content: str, user: str = USER) -> str:
    path = folder / name_of(content, user)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return name_of(content, user)


def store(identifier: str, content: str, user: str = USER, **cells: object) -> Row:
    url = name_of(content, user)
    return {
        **source(identifier),
        "storage_url": url,
        "content_hash": url[-64:],
        "user_id": user,
    } | {**cells}


def relationship(identifier: str, one: str, other: str, **cells: object) -> Row:
    return {
        "id": identifier,
        "relationship_key": f"KNOWS:{one}:{other}",
        "relationship_type": "KNOWS",
        "source_entity_id": one,
        "target_entity_id": other,
        "observed_at": LATER,
        "source_priority": 100,
        "metadata": "{}",
        "created_at": LATER,
        "user_id": USER,
        **cells,
    }


def fragment(identifier: str, owner: str | None, of: str, text: str, **cells: object) -> Row:
    return {
        "id": identifier,
        "entity_id": owner,
        "source_id": of,
        "entity_type": "note",
        "fragment_key": "colour",
        "fragment_value": f'"{text}"',
        "user_id": USER,
        **cells,
    }


def event(identifier: str, owner: str, of: str, **cells: object) -> Row:
    return {
        "id": identifier,
        "event_type": "due",
        "event_timestamp": LATER,
        "source_id": of,
        "entity_id": owner,
        "user_id": USER,
        **cells,
    }


def title_fields(text: str) -> str:
    return f'{{"title":"{text}"}}'


def rows() -> dict[str, list[Row]]:
    """Return every row of the world; snapshots are computed later."""
    secret, private, theirs = PLANTED["entity"], PLANTED["observation"], PLANTED["user"]
    return {
        "sources": [
            store("src-shared", "of two"),
            store("src-gone-e-own", secret, original_filename=f"{secret}.txt"),
            store("src-gone-e-twin", "same bytes", content_hash=None),
            store("src-keep-twin", "same bytes", content_hash=None),
            store("src-gone-o-own", private),
            store("src-gone-u-own", theirs, OTHER_USER),
            store("src-keep", "kept"),
        ],
        "interpretations": [
            {"id": "int-gone-e-1", "source_id": "src-gone-e-own", "user_id": USER},
            {"id": "int-gone-e-idle", "source_id": "src-gone-e-own", "user_id": USER},
            {"id": "int-keep", "source_id": "src-shared", "user_id": USER},
        ],
        "entities": [
            entity(ENTITY, canonical_name=secret),
            entity("ent-gone-e-2", merged_to_entity_id=ENTITY, merged_at=LATER),
            entity("ent-gone-e-3"),
            entity("ent-keep"),
            entity("ent-other"),
            entity("ent-gone-u-1", user_id=OTHER_USER, canonical_name=theirs),
            entity("ent-common"),
        ],
        "observations": [
            observation(
                "obs-gone-e-1",
                ENTITY,
                source_id="src-gone-e-own",
                interpretation_id="int-gone-e-1",
                fields=title_fields(secret),
            ),
            observation(
                "obs-gone-e-2", ENTITY, source_id="src-shared", fields=title_fields(secret)
            ),
            observation("obs-gone-e-3", "ent-gone-e-3", source_id="src-gone-e-twin"),
            observation(
                "obs-keep-1", "ent-keep", source_id="src-shared", interpretation_id="int-keep"
            ),
            observation(
                OBSERVATION,
                "ent-keep",
                source_id="src-gone-o-own",
                observed_at=LATER,
                fields=title_fields(private),
            ),
            observation("obs-keep-2", "ent-other", source_id="src-keep"),
            observation("obs-keep-3", "ent-other", source_id="src-keep-twin"),
            observation(
                "obs-gone-u-1",
                "ent-gone-u-1",
                source_id="src-gone-u-own",
                user_id=OTHER_USER,
                fields=title_fields(theirs),
            ),
            observation("obs-keep-4", "ent-common", source_id="src-keep"),
            observation(
                "obs-gone-u-2",
                "ent-common",
                observed_at=LATER,
                user_id=OTHER_USER,
                fields=title_fields(theirs),
            ),
        ],
        "relationship_observations": [
            relationship("rel-gone-e-1", "ent-keep", ENTITY),
            relationship("rel-gone-e-2", ENTITY, "ent-keep", source_id="src-keep"),
            relationship("rel-keep", "ent-keep", "ent-other"),
            relationship("rel-gone-u-1", "ent-common", "ent-keep", user_id=OTHER_USER),
        ],
        "raw_fragments": [
            fragment("frg-gone-e-1", ENTITY, "src-gone-e-own", secret),
            fragment("frg-gone-e-2", None, "src-gone-e-own", secret),
            fragment("frg-gone-o-1", "ent-keep", "src-gone-o-own", private),
            fragment("frg-keep", "ent-keep", "src-shared", "blue"),
        ],
        "entity_merges": [
            {"id": "mrg-gone-e-1", "from_entity_id": "ent-gone-e-2", "to_entity_id": ENTITY},
            {
                "id": "mrg-gone-e-2",
                "from_entity_id": "ent-gone-e-3",
                "to_entity_id": "ent-gone-e-2",
            },
            {"id": "mrg-gone-e-3", "from_entity_id": ENTITY, "to_entity_id": "ent-gone-e-3"},
        ],
        "entity_splits": [
            {
                "id": "spl-gone-e-1",
                "source_entity_id": ENTITY,
                "new_entity_id": "ent-other",
                "user_id": USER,
                "idempotency_key": "once",
                "created_at": LATER,
            }
        ],
        "timeline_events": [
            event("evt-gone-e-1", ENTITY, "src-shared"),
            event("evt-gone-o-1", "ent-keep", "src-gone-o-own"),
            event("evt-keep", "ent-keep", "src-shared"),
        ],
        "source_entity_edges": [
            {"id": "edg-gone-e-1", "source_id": "src-shared", "entity_id": ENTITY, "user_id": USER},
        ],
        "source_event_edges": [
            {
                "id": "edg-gone-e-2",
                "source_id": "src-shared",
                "event_id": "evt-gone-e-1",
                "user_id": USER,
            },
        ],
        "entity_embedding_rows": [
            {"entity_id": ENTITY, "user_id": USER, "entity_type": "note"},
            {"entity_id": "ent-keep", "user_id": USER, "entity_type": "note"},
        ],
        "substrate_events": [
            {
                "event_type": "stored",
                "user_id": USER,
                "entity_id": ENTITY,
                "payload": "{}",
                "created_at": LATER,
            },
            {
                "event_type": "stored",
                "user_id": USER,
                "payload": f'{{"observation":"{OBSERVATION}"}}',
                "created_at": LATER,
            },
        ],
        "auto_enhancement_queue": [
            {"id": "que-1", "payload": f'{{"about":["{ENTITY}"]}}', "user_id": USER},
            {"id": "que-keep", "payload": '{"about":["ent-keep"]}', "user_id": USER},
        ],
        "local_auth_users": [
            {
                "id": OTHER_USER,
                "email": f"{theirs}@example.org",
                "password_hash": theirs,
                "password_salt": "salt",
                "created_at": LATER,
                "updated_at": LATER,
            }
        ],
        "auth_sessions": [{"id": "ses-gone-u", "user_id": OTHER_USER, "access_token": theirs}],
    }
