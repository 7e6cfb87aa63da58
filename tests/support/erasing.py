"""A small world to erase from, and looking for what should be gone.

Whatever has to go with the entity, the observation or the user has a mark in its id, and what it
tells has a planted text; so nothing of it may be found anywhere, whole or in part.
"""

import hashlib
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from neotoma_core.erasure.erase import erase, plan_only
from neotoma_core.erasure.report import ErasureReport
from neotoma_core.erasure.request import EraseRequest, erase_run
from neotoma_core.report.progress import Silent
from tests.conftest import NOW, recover_into
from tests.support.databases import USER, Row, entity, make_database, observation, source
from tests.support.rebuilding import rebuild

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


@dataclass(frozen=True)
class World:
    """A database, an older copy of it, and a vault with evidence of before."""

    folder: Path

    @property
    def target(self) -> Path:
        return self.folder / "data" / "neotoma.db"

    @property
    def raw(self) -> Path:
        return self.folder / "data" / "sources"

    @property
    def backup(self) -> Path:
        return self.folder / "old" / "neotoma.db"

    @property
    def vault(self) -> Path:
        return self.folder / "data" / "vault"

    @property
    def evidence(self) -> Path:
        return min((self.vault / "evidence").iterdir())

    def erase(
        self,
        confirm: Callable[[ErasureReport], bool] = lambda _: True,
        now: datetime = NOW,
        *,
        vault: Path | None = None,
        target: Path | None = None,
        dry_run: bool = False,
        **asked: object,
    ) -> ErasureReport:
        request = EraseRequest(target or self.target, vault or self.vault, **asked)  # type: ignore[arg-type]  # a test's own keywords
        with erase_run(request, now + timedelta(days=1)) as run:
            return plan_only(run, Silent()) if dry_run else erase(run, confirm, Silent())

    def execute(self, database: Path, *statements: str) -> None:
        with closing(sqlite3.connect(database, isolation_level=None)) as connection:
            for statement in statements:
                connection.execute(statement)


def name_of(content: str, user: str = USER) -> str:
    return f"{user}/{hashlib.sha256(content.encode()).hexdigest()}"


def put(folder: Path, content: str, user: str = USER) -> str:
    path = folder / name_of(content, user)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return name_of(content, user)


def stored(identifier: str, content: str, user: str = USER, **cells: object) -> Row:
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


def told(text: str) -> str:
    return f'{{"title":"{text}"}}'


def rows() -> dict[str, list[Row]]:
    """Return every row of the world; snapshots are computed later."""
    secret, private, theirs = PLANTED["entity"], PLANTED["observation"], PLANTED["user"]
    return {
        "sources": [
            stored("src-shared", "of two"),
            stored("src-gone-e-own", secret, original_filename=f"{secret}.txt"),
            stored("src-gone-e-twin", "same bytes", content_hash=None),
            stored("src-keep-twin", "same bytes", content_hash=None),
            stored("src-gone-o-own", private),
            stored("src-gone-u-own", theirs, OTHER_USER),
            stored("src-keep", "kept"),
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
                fields=told(secret),
            ),
            observation("obs-gone-e-2", ENTITY, source_id="src-shared", fields=told(secret)),
            observation("obs-gone-e-3", "ent-gone-e-3", source_id="src-gone-e-twin"),
            observation(
                "obs-keep-1", "ent-keep", source_id="src-shared", interpretation_id="int-keep"
            ),
            observation(
                OBSERVATION,
                "ent-keep",
                source_id="src-gone-o-own",
                observed_at=LATER,
                fields=told(private),
            ),
            observation("obs-keep-2", "ent-other", source_id="src-keep"),
            observation("obs-keep-3", "ent-other", source_id="src-keep-twin"),
            observation(
                "obs-gone-u-1",
                "ent-gone-u-1",
                source_id="src-gone-u-own",
                user_id=OTHER_USER,
                fields=told(theirs),
            ),
            observation("obs-keep-4", "ent-common", source_id="src-keep"),
            observation(
                "obs-gone-u-2",
                "ent-common",
                observed_at=LATER,
                user_id=OTHER_USER,
                fields=told(theirs),
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


def build(folder: Path) -> World:
    """Make the world: two copies of one database, and a vault that has seen it before."""
    world = World(folder)
    make_database(world.target, rows())
    for content in ("of two", PLANTED["entity"], "same bytes", PLANTED["observation"], "kept"):
        put(world.raw, content)
    put(world.raw, PLANTED["user"], OTHER_USER)
    rebuild(world.target)
    shutil.copytree(world.folder / "data", world.folder / "old")
    newer = make_database(
        folder / "newer.db", {"observations": [observation("obs-new", "ent-new")]}
    )
    recover_into(world.vault)(world.target, newer, now=NOW - timedelta(days=1))
    newer.unlink()
    return world


def found(world: World, *texts: str) -> list[str]:
    """Return where any of ``texts`` is still found: cells, raw files, files of the vault."""
    return [*found_in(world.target, *texts), *_found_beside(world, texts)]


def found_in(database: Path, *texts: str) -> list[str]:
    """Return the columns of a database, and its files, in which any of ``texts`` is found."""
    wanted = [text.encode() for text in texts]
    places = []
    with closing(sqlite3.connect(database)) as connection:
        connection.text_factory = bytes
        names = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        for name in [raw.decode() for (raw,) in names]:
            cursor = connection.execute(f'SELECT * FROM "{name}"')
            columns = [column[0] for column in cursor.description]
            for row in cursor:
                places += [
                    f"{name}.{column}"
                    for column, cell in zip(columns, row, strict=True)
                    if isinstance(cell, bytes) and any(text in cell for text in wanted)
                ]
    for path in database.parent.glob(f"{database.name}*"):
        places += [path.name for text in wanted if text in path.read_bytes()]
    return sorted(set(places))


def _found_beside(world: World, texts: Iterable[str]) -> Iterator[str]:
    kept = [world.vault / "erasures.jsonl", world.vault / "vault.json"]
    kept += [path for path in world.vault.glob("reports/*/*") if path.parent.name > "2026-03-13"]
    kept += [path for path in world.raw.rglob("*") if path.is_file()]
    for path in kept:
        content = str(path.relative_to(world.folder)).encode()
        content += path.read_bytes() if path.exists() else b""
        if any(text.encode() in content for text in texts):
            yield str(path.relative_to(world.folder))


def signs_of(what: str) -> list[str]:
    """Return the mark and the planted text of what was erased."""
    which = MARKS if what == "all" else [what]
    return [text for one in which for text in (MARKS[one], PLANTED[one])]


def gone_from(report: ErasureReport) -> Mapping[str, int]:
    return {table.table: table.erased for table in report.erasures if table.erased}
