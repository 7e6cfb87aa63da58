"""midden.toml: databases by name, and the vault of each; what is wrong with it is named."""

from pathlib import Path

import pytest

from neotoma_core.cli.app import app
from neotoma_core.errors import UsageError
from neotoma_core.settings.configuration import read_configuration
from neotoma_core.settings.configured import configured_report
from neotoma_core.settings.environment import default_vault
from tests.support.databases import entity, make_database, observation


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration with one database in a folder next to it."""
    path = tmp_path / "config" / "midden.toml"
    path.parent.mkdir()
    path.write_text('[databases.main]\npath = "../data/neotoma.db"\nvault = "../kept"\n')
    monkeypatch.setenv("MIDDEN_CONFIG", str(path))
    monkeypatch.delenv("MIDDEN_VAULT", raising=False)
    return path


def test_a_database_has_the_vault_that_is_configured(file: Path, tmp_path: Path) -> None:
    (known,) = read_configuration(file).databases
    assert known.path.resolve() == tmp_path / "data" / "neotoma.db"
    assert default_vault(tmp_path / "data" / "neotoma.db").resolve() == tmp_path / "kept"
    assert default_vault(tmp_path / "other.db").resolve() != tmp_path / "kept"
    (told,) = configured_report().configured
    assert (told.vault_from, told.path_exists) == ("midden.toml", False)


@pytest.mark.usefixtures("file")
def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIDDEN_VAULT", "/elsewhere")
    (told,) = configured_report().configured
    assert (told.vault, told.vault_from) == ("/elsewhere", "MIDDEN_VAULT")


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("databases = 1", "databases must be a table"),
        ("[databases.main]", "databases.main.path must be a path"),
        ('[databases.main]\npath = ["SECRET"]', "databases.main.path must be a path"),
        ('[databases.main]\npth = "SECRET"', "databases.main.pth: no such setting; did you mean"),
        ("[database.main]", "database: no such setting; did you mean databases"),
        ("SECRET", "invalid TOML"),
        ('[databases.main]\npath = "a"\npage = 3', "databases.main.page must be a path"),
    ],
)
def test_what_is_wrong_is_named_and_no_value_repeated(file: Path, text: str, wrong: str) -> None:
    file.write_text(text)
    with pytest.raises(UsageError, match=wrong) as refused:
        read_configuration(file)
    assert "SECRET" not in str(refused.value)


def test_a_file_that_is_named_must_be_there(file: Path) -> None:
    file.unlink()
    with pytest.raises(UsageError, match="MIDDEN_CONFIG"):
        configured_report()


def test_a_command_takes_a_name_and_the_only_database_there_is(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert app(["config", "check"], standalone_mode=False) == 2
    tables = {"entities": [entity("e1")], "observations": [observation("o1")]}
    make_database(tmp_path / "data" / "neotoma.db", tables)
    assert not app(["config", "check"], standalone_mode=False)
    assert "main: " in capsys.readouterr().out
    for words in (("--target", "main"), ()):
        app(["backups", *words], standalone_mode=False)
        assert "no backup" in capsys.readouterr().out
    file.write_text(file.read_text() + '[databases.two]\npath = "two.db"\n')
    with pytest.raises(UsageError, match="names main, two"):
        app(["backups"], standalone_mode=False)
