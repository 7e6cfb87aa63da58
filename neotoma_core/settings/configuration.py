"""``midden.toml``: databases by name, the vault of each, what agents may touch. Read only."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from neotoma_core.errors import UsageError, reason_of
from neotoma_core.files.small import read_small
from neotoma_core.words.nearest import nearest_named

NAME: Final = "midden.toml"
_TOP: Final = ("databases", "agents")
_KEYS: Final = ("path", "vault")
_OF_AGENTS: Final = ("databases", "folders")


@dataclass(frozen=True, slots=True)
class ConfiguredDatabase:
    """A database by its name; ``vault``: None where the file names none."""

    name: str
    path: Path
    vault: Path | None


@dataclass(frozen=True, slots=True)
class ConfiguredAgents:
    """What agents may touch: ``databases`` of the file, and ``folders`` with copies."""

    databases: tuple[ConfiguredDatabase, ...] = ()
    folders: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a configuration file says; ``found``: whether there is one."""

    file: Path
    found: bool = False
    databases: tuple[ConfiguredDatabase, ...] = ()
    agents: ConfiguredAgents = ConfiguredAgents()

    def named(self, words: str) -> ConfiguredDatabase | None:
        """Return the database of a name."""
        return next((one for one in self.databases if one.name == words), None)

    def place_of(self, words: Path) -> Path:
        """Return the path of a database by its name; a file of that name comes first."""
        known = None if "/" in str(words) or words.exists() else self.named(str(words))
        return known.path if known else words

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
    agents = _agents(file, said.get("agents", {}), databases)
    return Configuration(file, found=True, databases=databases, agents=agents)


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
        name, _placed(file, table["path"]), _placed(file, vault) if vault else None
    )


def _agents(
    file: Path, table: object, databases: tuple[ConfiguredDatabase, ...]
) -> ConfiguredAgents:
    if not isinstance(table, dict):
        raise UsageError(f"{file}: agents must be a table, [agents]")
    _require_known(file, "agents.", table, _OF_AGENTS)
    for key in _OF_AGENTS:
        value = table.get(key, [])
        if not isinstance(value, list) or not all(map(_is_path, value)):
            raise UsageError(f"{file}: agents.{key} must be a list of texts")
    named = {one.name: one for one in databases}
    names = table.get("databases", [])
    for number, name in enumerate(names, start=1):
        if name not in named:
            wrong = f"agents.databases: number {number} is not the name of a database"
            raise UsageError(f"{file}: {wrong}; name one that has a [databases.NAME]")
    folders = tuple(_placed(file, words) for words in table.get("folders", []))
    return ConfiguredAgents(tuple(named[name] for name in dict.fromkeys(names)), folders)


def _is_path(value: object) -> bool:
    return isinstance(value, str) and bool(value) and "\0" not in value


def _placed(file: Path, words: str) -> Path:
    return file.absolute().parent / Path(words).expanduser()


def _require_known(
    file: Path, where: str, table: Mapping[str, object], known: tuple[str, ...]
) -> None:
    for key in table:
        if key not in known:
            raise UsageError(f"{file}: {where}{key}: no such setting{nearest_named(key, known)}")
