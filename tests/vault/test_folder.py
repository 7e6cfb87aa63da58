"""What a vault's folder says of who is in it, and the documents in it."""

from pathlib import Path

from neotoma_core.vault.folder import LOCK, is_in_use, lock_vault, read_json, write_json


def test_a_vault_is_in_use_only_while_a_run_holds_it(tmp_path: Path) -> None:
    assert not is_in_use(tmp_path)
    with lock_vault(tmp_path):
        assert is_in_use(tmp_path)
    assert (tmp_path / LOCK).is_file()
    assert not is_in_use(tmp_path)


def test_a_document_is_written_into_a_private_folder_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "new" / "document.json"
    write_json(path, {"a": 1})
    assert read_json(path) == {"a": 1}
    assert path.parent.stat().st_mode & 0o777 == 0o700
