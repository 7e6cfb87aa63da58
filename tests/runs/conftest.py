"""A target, and a backup as Neotoma makes one."""

from pathlib import Path

import pytest

from tests.support.named_backups import FIRST, SECOND
from tests.support.raw import database, put


@pytest.fixture
def target(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data" / "neotoma.prod.db"


@pytest.fixture
def neotomas(tmp_path: Path) -> Path:
    """A backup folder as Neotoma leaves it where its own check fails: without a manifest."""
    folder = tmp_path / "backups" / "neotoma-backup-2026-03-10T00-00-00"
    database(folder / "neotoma.prod.db", FIRST, SECOND)
    put(folder / "sources", FIRST)
    put(folder / "sources", SECOND)
    return folder
