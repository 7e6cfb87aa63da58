"""A small world to erase from, and looking for what should be gone: see ``planted``."""

import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from neotoma_core.erasure.erase import erase, plan_only
from neotoma_core.erasure.report import ErasureReport
from neotoma_core.erasure.request import EraseRequest, erase_run
from neotoma_core.report.progress import Silent
from tests.conftest import NOW, recover_into
from tests.support.databases import make_database, observation
from tests.support.planted import MARKS, OTHER_USER, PLANTED, put, rows
from tests.support.rebuilding import rebuild


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


def find_texts(world: World, *texts: str) -> list[str]:
    """Return where any of ``texts`` is still found: cells, raw files, files of the vault."""
    return [*find_texts_in(world.target, *texts), *_find_texts_beside(world, texts)]


def find_texts_in(database: Path, *texts: str) -> list[str]:
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


def _find_texts_beside(world: World, texts: Iterable[str]) -> Iterator[str]:
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


def count_gone(report: ErasureReport) -> Mapping[str, int]:
    return {table.table: table.erased for table in report.erasures if table.erased}
