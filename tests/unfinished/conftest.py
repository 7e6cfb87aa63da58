"""A production database, and its raw folder."""

from pathlib import Path

import pytest


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where a production database is, and its raw folder."""
    return tmp_path / "data" / "neotoma.prod.db"


@pytest.fixture
def raw(place: Path) -> Path:
    return place.parent / "sources_prod"
