"""Neither what is encrypted nor its key is shown or written anywhere; without it all is refused."""

import logging
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from neotoma_core.errors import KeyMissing, KeyWrong, MiddenError
from neotoma_core.files.keys import KeyFile
from neotoma_core.neotoma.encryption.key import derive_data_key
from neotoma_core.publication.transaction import publish
from tests.conftest import Recover
from tests.neotoma.test_encryption import KEY_HEX, SECRET
from tests.support.databases import (
    Row,
    insert_all,
    loosen,
    observation,
)
from tests.support.sealing import PLANTED, STATED, database, key_file, open_cells, seal, snapshots

OTHER_KEY = derive_data_key(bytes(32))


def target_sealed_otherwise(folder: Path) -> tuple[Path, Path]:
    target = database(folder / "target.db", observation("o1", fields=OTHER_KEY.seal(STATED)))
    return target, database(folder / "backup.db", seal("o2", STATED))


def backup_sealed_otherwise(folder: Path) -> tuple[Path, Path]:
    backup = database(
        folder / "backup.db",
        *(seal(f"o{number}", STATED) for number in range(3)),
        observation("x", fields=OTHER_KEY.seal(STATED)),
    )
    return database(folder / "target.db", seal("o9", STATED)), backup


def snapshot_sealed_otherwise(folder: Path) -> tuple[Path, Path]:
    snapshot: Row = {
        "entity_id": "e1",
        "entity_type": "note",
        "schema_version": "1.0",
        "snapshot": OTHER_KEY.seal(STATED),
    }
    target = database(folder / "target.db", entity_snapshots=[snapshot])
    return target, database(folder / "backup.db", observation("o1"))


SEALED_OTHERWISE = [target_sealed_otherwise, backup_sealed_otherwise, snapshot_sealed_otherwise]


@pytest.mark.parametrize("databases", SEALED_OTHERWISE, ids=lambda build: build.__name__)
@pytest.mark.parametrize("with_key", [True, False], ids=["wrong key", "no key"])
def test_without_the_right_key_the_run_is_refused_and_the_target_untouched(
    databases: Callable[[Path], tuple[Path, Path]],
    tmp_path: Path,
    run_recover: Recover,
    key: KeyFile,
    *,
    with_key: bool,
) -> None:
    target, backup = databases(tmp_path)
    before = target.read_bytes(), target.stat().st_mtime_ns
    with pytest.raises(KeyWrong if with_key else KeyMissing) as raised:
        run_recover(target, backup, key=key if with_key else None)
    assert (target.read_bytes(), target.stat().st_mtime_ns) == before
    assert raised.value.exit_code == 12
    assert_nothing_shown(raised.value)
    assert_in_no_file(tmp_path / "vault")


def test_a_wrong_key_creates_no_target(tmp_path: Path, run_recover: Recover) -> None:
    target = tmp_path / "target.db"
    backup = database(tmp_path / "backup.db", seal("o1", STATED))
    with pytest.raises(KeyWrong, match=r"backup\.db: the key does not open 1 of 1"):
        run_recover(target, backup, key=key_file(tmp_path, bytes(32)))
    assert not target.exists()


def assert_nothing_shown(error: MiddenError) -> None:
    shown = "".join(traceback.format_exception(error)) + repr(vars(error))
    assert not [secret for secret in (PLANTED, KEY_HEX, SECRET.hex()) if secret in shown]


def assert_in_no_file(folder: Path) -> None:
    assert files_with_secrets(folder) == []


def files_with_secrets(folder: Path) -> list[str]:
    secret_bytes = [PLANTED.encode(), SECRET, bytes.fromhex(KEY_HEX)]
    secret_bytes += [value.hex().encode() for value in secret_bytes]
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".key"]
    assert files
    return sorted(
        path.name for path in files if any(secret in path.read_bytes() for secret in secret_bytes)
    )


def files_while_publishing(monkeypatch: pytest.MonkeyPatch, folder: Path) -> list[list[str]]:
    """Return a list that gains the files with secrets, at the moment the target is written."""
    found: list[list[str]] = []

    def look(*given: object) -> object:
        assert list(folder.rglob("staging.db"))
        assert list(folder.rglob("observations.arrow"))
        found.append(files_with_secrets(folder))
        return publish(*given)  # type: ignore[arg-type]  # handed on as given

    monkeypatch.setattr("neotoma_core.recovery.applying.publish", look)
    return found


def test_neither_plaintext_nor_key_is_in_any_file_or_report(
    tmp_path: Path,
    run_recover: Recover,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    target = database(tmp_path / "target.db", seal("o1", STATED))
    in_conflict, broken = seal("o1", '{"title":"Other"}'), seal("o2", STATED, entity_id=None)
    backup = database(tmp_path / "backup.db", in_conflict, seal("o3", STATED))
    loosen(backup, "observations")
    insert_all(backup, {"observations": [broken]})
    caplog.set_level(logging.DEBUG)
    found = files_while_publishing(monkeypatch, tmp_path)
    report = run_recover(target, backup, key=key_file(tmp_path, SECRET))
    assert (report.outcome, report.conflicts.rows) == ("published", 1)
    assert report.quarantine
    assert [said for said, _ in open_cells(snapshots(target))] == [STATED]
    assert found == [[]]
    assert_in_no_file(tmp_path)
    shown = report.to_json() + "".join(capfd.readouterr()) + caplog.text
    assert not [secret for secret in (PLANTED, KEY_HEX, SECRET.hex()) if secret in shown]


def test_the_search_for_plaintext_finds_it_where_it_is(
    tmp_path: Path, run_recover: Recover, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = database(tmp_path / "target.db", observation("o1", fields=STATED))
    backup = database(tmp_path / "backup.db", observation("o2", fields=STATED))
    found = files_while_publishing(monkeypatch, tmp_path / "vault")
    run_recover(target, backup)
    (names,) = found
    assert {"observations.arrow", "staging.db", "target.db", "backup.db"} <= set(names)
    assert "target.db" in files_with_secrets(tmp_path)
