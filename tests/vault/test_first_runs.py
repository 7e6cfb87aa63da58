"""Two first runs at once make one vault; neither writes over what the other knows."""

import threading
from pathlib import Path

import pytest

from neotoma_core.errors import VaultError, VaultLocked
from neotoma_core.files.locking import exclusive
from neotoma_core.vault.folder import LOCK, identifier_of, identify_vault, open_vault, write_json


def test_a_first_run_that_waited_keeps_what_the_other_wrote(tmp_path: Path) -> None:
    vault, target = tmp_path / "vault", tmp_path / "neotoma.db"
    vault.mkdir()
    waiting = threading.Thread(target=open_vault, args=(vault, target))
    with exclusive(vault / LOCK, 0, lambda: VaultLocked(vault)):
        waiting.start()
        # It has seen an empty folder, or will see this: either way it keeps the description.
        write_json(vault / "vault.json", {"format": 1, "protects": "x"})
        known = identify_vault(vault)
    waiting.join(60)
    assert identifier_of(vault) == known


def test_many_first_runs_at_once_make_one_vault(tmp_path: Path) -> None:
    vault, target = tmp_path / "vault", tmp_path / "neotoma.db"
    ready = threading.Barrier(8)
    failed: list[BaseException] = []

    def work() -> None:
        ready.wait(60)
        try:
            open_vault(vault, target)
        except BaseException as error:  # noqa: BLE001 - looked at below
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_a_folder_with_files_of_others_gets_nothing(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("")
    with pytest.raises(VaultError, match="the folder holds other files"):
        open_vault(tmp_path, tmp_path / "neotoma.db")
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_what_a_killed_first_run_left_is_no_hindrance(tmp_path: Path) -> None:
    for name in (LOCK, ".vault.json.tmp"):
        (tmp_path / name).touch()
    open_vault(tmp_path, tmp_path / "neotoma.db")
    assert (tmp_path / "vault.json").exists()
