"""Where the raw files of a database are, by its name, its neighbours and Neotoma's settings."""

from pathlib import Path

import pytest

from neotoma_core.neotoma.environments import Environment
from neotoma_core.settings.environment import raw_storage
from neotoma_core.vault.raw_folders import folders_beside, folders_in_use

RAW = "NEOTOMA_RAW_STORAGE_DIR"


@pytest.fixture(autouse=True)
def nobodys_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (RAW, "NEOTOMA_DATA_DIR", "NEOTOMA_SQLITE_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ("production", [("sources_prod", "production", False), ("sources", "production", True)]),
        ("development", [("sources", "development", False), ("sources_prod", "development", True)]),
        (None, [("sources_prod", "production", False), ("sources", "development", False)]),
    ],
)
def test_a_database_has_its_own_folder_first_and_may_have_files_in_the_other(
    environment: Environment | None, expected: list[tuple[str, str, bool]], tmp_path: Path
) -> None:
    found = folders_in_use(tmp_path / "n.db", environment, None)
    assert [(f.path.name, f.environment, f.shared) for f in found] == expected
    assert {f.path.parent for f in found} == {tmp_path}


def test_a_configured_folder_comes_first_and_those_beside_are_shared(tmp_path: Path) -> None:
    own, *others = folders_in_use(tmp_path / "n.db", "production", tmp_path / "raw")
    assert (own.path, own.shared) == (tmp_path / "raw", False)
    assert [(f.path.name, f.shared) for f in others] == [("sources_prod", True), ("sources", True)]
    only = folders_in_use(tmp_path / "n.db", "production", tmp_path / "x/../sources_prod")
    assert [f.path.name for f in only] == ["sources_prod", "sources"]


def test_a_folder_that_another_database_uses_is_told(tmp_path: Path) -> None:
    target = tmp_path / "neotoma.prod.db"
    target.touch()
    own, other = folders_in_use(target, "production", None)
    assert not own.is_used_by_another(target)
    assert not other.is_used_by_another(target)
    (tmp_path / "neotoma.db").touch()
    assert other.is_used_by_another(target)
    copy = tmp_path / "neotoma.prod 2.db"
    copy.touch()
    assert own.is_used_by_another(copy)


def test_of_a_backup_only_folders_that_are_there_count(tmp_path: Path) -> None:
    assert list(folders_beside(tmp_path, "production")) == []
    (tmp_path / "sources").mkdir()
    (found,) = folders_beside(tmp_path, "production")
    assert (found.environment, found.shared) == ("production", True)
    (tmp_path / "manifest.json").touch()
    (found,) = folders_beside(tmp_path, "production")
    assert (found.environment, found.shared) == ("production", False)


def test_neotomas_setting_is_read_wherever_neotoma_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "data/neotoma.db"
    assert raw_storage(target) is None
    settings = tmp_path / "home/.config/neotoma/.env"
    settings.parent.mkdir(parents=True)
    settings.write_text(f"{RAW}=~/raw\n")
    assert raw_storage(target) == tmp_path / "home/raw"
    Path(".env").write_text(f'export {RAW}="here"\n')
    assert raw_storage(target) == tmp_path / "project/here"
    monkeypatch.setenv(RAW, "/first")
    assert raw_storage(target) == Path("/first")


def test_the_setting_is_of_the_database_that_neotoma_uses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(RAW, "/raw")
    monkeypatch.setenv("NEOTOMA_DATA_DIR", str(tmp_path / "data"))
    assert raw_storage(tmp_path / "data/neotoma.prod.db") == Path("/raw")
    assert raw_storage(tmp_path / "scratch/neotoma.prod.db") is None
    monkeypatch.setenv("NEOTOMA_SQLITE_PATH", str(tmp_path / "fast.db"))
    assert raw_storage(tmp_path / "fast.db") == Path("/raw")
    assert raw_storage(tmp_path / "data/neotoma.prod.db") is None
