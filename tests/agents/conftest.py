"""A small world that lost rows, made once and copied for each test."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.agents import (
    World,
    make_world,
)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_world(tmp_path_factory.mktemp("agents")).folder


@pytest.fixture
def world(made: Path, tmp_path: Path) -> World:
    return World(Path(shutil.copytree(made, tmp_path / "world")))


@pytest.fixture
def no_copy_is_lost(world: World) -> Iterator[None]:
    """Whatever an agent does: the copies stay, and the vault loses no backup and no evidence."""
    kept = {file: file.read_bytes() for file in (world.copy, world.outside)}
    yield
    meant = [file for file, content in kept.items() if file.exists() and file.is_file()]
    assert world.outside in meant
    assert world.outside.read_bytes() == kept[world.outside]
