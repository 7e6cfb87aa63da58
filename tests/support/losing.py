"""An archive of three runs, and ways to lose a part of it."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from deltalake import DeltaTable

from neotoma_core.archive_tables.record import COPY, RECORD
from tests.support.databases import entity, make_database, observation, source

DAY = timedelta(days=1)


TABLE = "observations"


LOG = f"{TABLE}/_delta_log"


NEWEST = f"{LOG}/{2:020}.json"


@dataclass(frozen=True)
class World:
    """An archive of three runs, ``place``; as it was ``before`` the last; that of ``another``."""

    place: Path
    before: Path
    another: Path
    database: Path

    def parts(self) -> list[Path]:
        return sorted((self.place / TABLE).glob("*.parquet"), key=lambda p: p.stat().st_mtime_ns)


def database_of(folder: Path, name: str, observations: int) -> Path:
    return make_database(
        folder / f"{name}-{observations}.db",
        {
            "entities": [entity("e1")],
            "observations": [observation(f"{name}{number}") for number in range(observations)],
            "sources": [source("s1")],
        },
    )


def forget_record(place: Path) -> None:
    """Make the archive one of a midden that kept no record."""
    for name in (RECORD, COPY):
        (place / name).unlink()
    description = place / "archive.json"
    description.write_text(description.read_text().replace(',"recorded":true', ""))


def checkpoint(world: World) -> None:
    DeltaTable(str(world.place / TABLE)).create_checkpoint()


def remove(*names: str) -> Callable[[World], None]:
    def harm(world: World) -> None:
        for name in names:
            path = world.place / name
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    return harm


def cut(name: str, to: int) -> Callable[[World], None]:
    def harm(world: World) -> None:
        path = world.place / name
        path.write_bytes(path.read_bytes()[:to])

    return harm
