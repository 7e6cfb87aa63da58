"""Everything that holds a database is a source, in each command that takes one."""

import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from neotoma_core.backup.request import BackupRequest
from neotoma_core.backup.take import back_up
from neotoma_core.cli.recovery.find import find
from neotoma_core.cli.recovery.recover import recover
from neotoma_core.cli.recovery.restore import restore
from neotoma_core.cli.recovery.status import status
from neotoma_core.report.progress import Silent
from tests.conftest import NOW, recover_into
from tests.support.archiving import archive
from tests.support.databases import count, entity, make_database
from tests.support.proven import observe, owner

ROWS = 30


class Place:
    """A database with all kinds of copies, and another that lacks everything."""

    def __init__(self, folder: Path) -> None:
        rows = {"observations": [observe(n) for n in range(ROWS)], "entities": [owner()]}
        self.folder, self.vault = folder, folder / "vault"
        self.whole = make_database(folder / "data" / "t.db", rows)
        self.target = make_database(folder / "new" / "t.db", {"entities": [owner()]})

    @property
    def backup(self) -> Path:
        report = back_up(BackupRequest(self.whole, self.vault, drill=False), NOW, Silent())
        return self.vault / "backups" / report.backup

    @property
    def evidence(self) -> Path:
        rows = {"observations": [observe(0)], "entities": [entity("further")]}
        other = make_database(self.folder / "other.db", rows)
        recover_into(self.folder / "kept")(self.whole, other)
        return next((self.folder / "kept" / "evidence").iterdir())

    @property
    def neotomas(self) -> Path:
        folder = self.folder / "backup_2026"
        folder.mkdir()
        shutil.copy(self.whole, folder / "neotoma.db")
        return folder

    @property
    def packed(self) -> Path:
        path = self.folder / "packed.tar.gz"
        with tarfile.open(path, "w:gz") as packed:
            packed.add(self.neotomas, "backup_2026")
        return path

    @property
    def archive(self) -> Path:
        archive(self.whole, self.folder / "kept" / "archive")
        return self.folder / "kept" / "archive"


SOURCES: dict[str, Callable[[Place], Path]] = {
    "a backup's folder": lambda place: place.backup,
    "its compressed file": lambda place: place.backup / "database.db.zst",
    "a vault": lambda place: place.backup.parent.parent,
    "evidence": lambda place: place.evidence,
    "Neotoma's folder": lambda place: place.neotomas,
    "a tar of it": lambda place: place.packed,
    "an archive": lambda place: place.archive,
}


@pytest.mark.parametrize("kind", SOURCES)
def test_it_recovers_and_restores(kind: str, tmp_path: Path) -> None:
    place = Place(tmp_path)
    source = SOURCES[kind](place)
    vault = tmp_path / "vault of the new one"
    second = place.target.with_name("second.db")
    shutil.copy(place.target, second)
    recover(target=place.target, backup=[source], yes=True, no_archive=True, vault=vault)
    assert count(place.target, "observations") == ROWS
    restore(source=str(source), target=second, yes=True, vault=tmp_path / "third")
    assert count(second, "observations") == ROWS


@pytest.mark.parametrize("kind", [kind for kind in SOURCES if kind != "an archive"])
def test_it_is_found_and_a_status_compares_with_it(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = Place(tmp_path)
    source = SOURCES[kind](place)
    find([source], json=True)
    report = json.loads(capsys.readouterr().out)
    assert max(copy["observations"] or 0 for copy in report["copies"]) == ROWS
    code = status(place.target, search=[source], vault=tmp_path / "vault 2", json=True)
    report = json.loads(capsys.readouterr().out)
    assert (code, report["drop"]["lacks"]) == (6, ROWS)
