"""``midden.toml``: which databases there are, by name, and the vault of each. Read only."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from neotoma_core.errors import UsageError, reason_of
from neotoma_core.files.small import read_small
from neotoma_core.words.nearest import nearest_named

NAME: Final = "midden.toml"
_TOP: Final = ("databases",)
_KEYS: Final = ("path", "vault")


@dataclass(frozen=True, slots=True)
class ConfiguredDatabase:
    """A database by its name; ``vault``: None where the file names none."""

    name: str
    path: Path
    vault: Path | None


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a configuration file says; ``found``: whether there is one."""

    file: Path
    found: bool = False
    databases: tuple[ConfiguredDatabase, ...] = ()

    def find(self, words: str) -> ConfiguredDatabase | None:
        """Return the database of a name."""
        return next((one for one in self.databases if one.name == words), None)

    def at(self, path: Path) -> ConfiguredDatabase | None:
        """Return the database at a place."""
        place = path.resolve()
        return next((one for one in self.databases if one.path.resolve() == place), None)


def read_configuration(file: Path) -> Configuration:
    """Read a configuration file; nothing is configured where there is none.

    Relative paths are taken from the folder of the file, ``~`` is the home folder. Raises
    UsageError, which never repeats a value.
    """
    try:
        text = read_small(file).decode()
    except FileNotFoundError:
        return Configuration(file)
    except (OSError, UnicodeDecodeError) as error:
        wrong = reason_of(error) if isinstance(error, OSError) else "invalid UTF-8"
        raise UsageError(f"{file}: {wrong}; nothing was changed") from None
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        wrong = str(error)
        raise UsageError(f"{file}: invalid TOML: {wrong}; nothing was changed") from None
    _require_known(file, "", said, _TOP)
    tables = said.get("databases", {})
    if not isinstance(tables, dict):
        raise UsageError(f"{file}: databases must be a table, like [databases.main]")
    databases = tuple(_database(file, name, table) for name, table in tables.items())
    return Configuration(file, found=True, databases=databases)


def _database(file: Path, name: str, table: object) -> ConfiguredDatabase:
    where = f"databases.{name}"
    if not isinstance(table, dict):
        raise UsageError(f"{file}: {where} must be a table, like [databases.main]")
    _require_known(file, f"{where}.", table, _KEYS)
    for key in _KEYS:
        value = table.get(key)
        if (value is None and key == "path") or (value is not None and not _is_path(value)):
            raise UsageError(f"{file}: {where}.{key} must be a path")
    vault = table.get("vault")
    return ConfiguredDatabase(
        name, _place(file, table["path"]), _place(file, vault) if vault else None
    )


def _is_path(value: object) -> bool:
    return isinstance(value, str) and bool(value) and "\0" not in value


def _place(file: Path, words: str) -> Path:
    return file.absolute().parent / Path(words).expanduser()


def _require_known(
    file: Path, where: str, table: Mapping[str, object], known: tuple[str, ...]
) -> None:
    for key in table:
        if key not in known:
            raise UsageError(f"{file}: {where}{key}: no such setting{nearest_named(key, known)}")
