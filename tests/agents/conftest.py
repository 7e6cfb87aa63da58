"""A small world that lost rows, made once and copied for each test."""

import shutil
from pathlib import Path

import pytest

from tests.support.agents import World, make_world


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_world(tmp_path_factory.mktemp("agents")).folder


@pytest.fixture
def world(made: Path, tmp_path: Path) -> World:
    return World(Path(shutil.copytree(made, tmp_path / "world")))
