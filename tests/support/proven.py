"""Rows whose ids are the hashes of their content, as Neotoma makes them (format, section 2)."""

import hashlib

from tests.support.databases import Row, entity, observation, source


def uuid_of(text: str) -> str:
    digits = hashlib.sha256(text.encode()).hexdigest()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:32]))


def observe(number: int, owner: str = "ent_000000000000000000000001", **cells: object) -> Row:
    """Return an observation with a true id; ``number`` tells it from others."""
    fields = f'{{"title":"note {number}","number":{number}}}'
    text = (
        f'{{"source_id":"none","interpretation_id":"none","entity_id":"{owner}","fields":{fields}}}'
    )
    moment = f"2026-02-{1 + number % 28:02d}T10:00:{number % 60:02d}.000Z"
    times = {"observed_at": moment, "created_at": moment}
    return observation(uuid_of(text), owner, fields=fields, **(times | cells))


def store(number: int) -> Row:
    """Return a source with a true id."""
    content = hashlib.sha256(str(number).encode()).hexdigest()
    user = "00000000-0000-0000-0000-000000000000"
    moment = "2026-02-01T00:00:00.000Z"
    return source(
        uuid_of(f"source:{user}:{content}"), content_hash=content, created_at=moment, user_id=user
    )


def owner() -> Row:
    return entity("ent_000000000000000000000001")
