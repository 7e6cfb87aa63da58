"""SQLite's integrity check beside other work."""

from pathlib import Path

import pytest

from neotoma_core.errors import BackupDamaged
from neotoma_core.store.integrity import IntegrityCheck
from tests.databases import make_database, observation


def damaged(folder: Path) -> Path:
    """Return a database of which one page is overwritten."""
    rows = [observation(f"o{n}") for n in range(100)]
    path = make_database(folder / "damaged.db", {"observations": rows})
    with path.open("r+b") as file:
        file.seek(-4096, 2)
        file.write(b"\xff" * 4096)
    return path


def test_a_sound_database_passes(tmp_path: Path) -> None:
    path = make_database(tmp_path / "sound.db")
    with IntegrityCheck(path, path) as integrity:
        integrity.require_passed()


def test_damage_is_raised_when_it_is_asked_for_or_when_the_block_ends(tmp_path: Path) -> None:
    path = damaged(tmp_path)
    with pytest.raises(BackupDamaged), IntegrityCheck(path, path):
        pass
    reached = False
    with pytest.raises(BackupDamaged), IntegrityCheck(path, path) as integrity:  # noqa: PT012 - that the next line is not reached is the point
        integrity.require_passed()
        reached = True
    assert not reached


def test_an_error_in_the_block_is_named_by_its_cause(tmp_path: Path) -> None:
    path = damaged(tmp_path)
    with pytest.raises(BackupDamaged), IntegrityCheck(path, path):
        raise ValueError("what a damaged page led to")


def test_an_error_in_a_sound_database_stays_itself(tmp_path: Path) -> None:
    path = make_database(tmp_path / "sound.db")
    with pytest.raises(ValueError, match="something else"), IntegrityCheck(path, path):
        raise ValueError("something else")


def test_an_interrupt_waits_for_nothing(tmp_path: Path) -> None:
    path = damaged(tmp_path)
    with pytest.raises(KeyboardInterrupt), IntegrityCheck(path, path):
        raise KeyboardInterrupt
