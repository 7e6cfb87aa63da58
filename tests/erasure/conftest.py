"""A world to erase from."""

import shutil
from pathlib import Path

import pytest

from tests.support.erasing import World, build


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> World:
    return build(tmp_path_factory.mktemp("template"))


@pytest.fixture
def world(template: World, tmp_path: Path) -> World:
    shutil.copytree(template.folder, tmp_path, dirs_exist_ok=True)
    return World(tmp_path)
