"""An archive that a test may damage: made once, copied for each test."""

import shutil
from pathlib import Path

import pytest

from tests.conftest import NOW
from tests.support.archiving import archive
from tests.support.losing import DAY, World, database_of


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("archives")
    world = World(folder / "place", folder / "before", folder / "another", folder / "o-3.db")
    for run in (1, 2, 3):
        if run == 3:
            shutil.copytree(world.place, world.before)
        archive(database_of(folder, "o", run), world.place, now=NOW + run * DAY)
        archive(database_of(folder, "x", run), world.another, now=NOW + run * DAY)
    return world


@pytest.fixture
def world(made: World, tmp_path: Path) -> World:
    """The same, with a place and a database of its own."""
    place = shutil.copytree(made.place, tmp_path / "place")
    database = Path(shutil.copy(made.database, tmp_path / "database.db"))
    return World(place, made.before, made.another, database)
