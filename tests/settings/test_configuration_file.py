"""Adding a database to midden.toml: what was there stays, byte for byte."""

import tomllib
from pathlib import Path

import pytest

from neotoma_core.errors import UsageError
from neotoma_core.files.atomic import observe
from neotoma_core.settings.configuration import read_configuration
from neotoma_core.settings.configuration_file import plan_entry, write_entry

TARGET = Path("/data/neotoma.prod.db")


def add(file: Path, target: Path = TARGET, vault: Path | None = None) -> str:
    planned = plan_entry(read_configuration(file), target, vault)
    if planned.lines:
        write_entry(planned)
    return planned.name


def test_a_file_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "new" / "midden.toml"
    assert add(file, vault=Path("/mnt/kept")) == "main"
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_text() == (f'[databases.main]\npath = "{TARGET}"\nvault = "/mnt/kept"\n')
    assert [path.name for path in file.parent.iterdir()] == ["midden.toml"]


@pytest.mark.parametrize(
    "before",
    [
        "# mine\n\n[databases.work]   # the other one\npath='/w.db'\n",
        '[databases.main]\npath = "/other.db"',
        'databases.main = { path = "/other.db" }\r\n',
        "",
    ],
)
def test_what_somebody_wrote_stays(tmp_path: Path, before: str) -> None:
    file = tmp_path / "midden.toml"
    file.write_bytes(before.encode())
    file.chmod(0o640)
    name = add(file)
    after = file.read_bytes().decode()
    assert after.startswith(before)
    assert file.stat().st_mode & 0o777 == 0o640
    known = read_configuration(file)
    added = known.find(name)
    assert added is not None
    assert added.path == TARGET
    assert len(known.databases) == (2 if "db" in before else 1)
    assert add(file) == name
    assert file.read_bytes().decode() == after


def test_a_file_that_cannot_be_added_to_is_left_and_the_lines_are_shown(tmp_path: Path) -> None:
    file = tmp_path / "midden.toml"
    before = 'databases = { work = { path = "/w.db" } }\n'
    file.write_text(before)
    with pytest.raises(UsageError, match=r"(?s)add these lines yourself:.*\[databases.main\]"):
        add(file)
    assert file.read_text() == before


def test_a_change_of_another_program_is_not_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "midden.toml"
    file.write_text("# mine\n")
    planned = plan_entry(read_configuration(file), TARGET, None)
    file.write_text('[databases.main]\npath = "/other.db"\n')
    with pytest.raises(UsageError, match="cannot be added"):
        write_entry(planned)
    assert "/other.db" in file.read_text()


def test_a_crash_leaves_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    file = tmp_path / "midden.toml"
    file.write_text("# mine\n")
    seen = []
    with observe(lambda _: seen.append(file.read_text())):
        add(file)
    assert set(seen) == {"# mine\n", file.read_text()}


def test_a_link_stays_one(tmp_path: Path) -> None:
    real = tmp_path / "dotfiles" / "midden.toml"
    real.parent.mkdir()
    real.write_text("# mine\n")
    link = tmp_path / "midden.toml"
    link.symlink_to(real)
    add(link)
    assert link.is_symlink()
    assert "databases.main" in real.read_text()


@pytest.mark.parametrize(
    "name", ['a "b" \\ c', "tab\tend\nline", "bell\a", "\u202eodd", "täg", "#["]
)
def test_odd_paths_come_back_as_they_are(tmp_path: Path, name: str) -> None:
    file = tmp_path / "midden.toml"
    target = Path(f"/data/{name}.db")
    add(file, target, target)
    (known,) = read_configuration(file).databases
    assert (known.path, known.vault) == (target, target)
    assert tomllib.loads(file.read_text())["databases"]["main"]["path"] == str(target)


def test_a_path_that_is_not_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not UTF-8"):
        add(tmp_path / "midden.toml", Path("/data/\udcff.db"))
