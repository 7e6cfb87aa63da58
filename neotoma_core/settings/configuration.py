"""``midden.toml``: databases by name, what agents may touch, options of commands. Read only.

Which options there are is the command line's to say: their tables are kept here as they are.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from neotoma_core.errors import UsageError, reason_of
from neotoma_core.files.small import read_small
from neotoma_core.settings.database_tables import (
    DatabaseSettings,
    is_path,
    place_path,
    read_settings,
    require_known,
    table_of,
)
from neotoma_core.settings.fleet_table import FleetSettings, read_fleet

NAME: Final = "midden.toml"
Options = Mapping[str, object]
"""Options as they are written: by name, and tables of them by command."""
_TOP: Final = ("databases", "agents", "fleet", "defaults", "profiles")
_PATHS: Final = ("path", "vault")
_OF_AGENTS: Final = ("databases", "folders")
_KEYS: Final = (*_PATHS, "profile", "defaults", *DatabaseSettings.KEYS)


@dataclass(frozen=True, slots=True)
class ConfiguredDatabase:
    """A database by its name; ``vault``: None where the file names none.

    ``profile``: the one used for it. ``options``: its own.
    """

    name: str
    path: Path
    vault: Path | None
    profile: str | None = None
    options: Options = field(default_factory=dict)
    settings: DatabaseSettings = field(default_factory=DatabaseSettings)


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
    defaults: Options = field(default_factory=dict)
    profiles: Mapping[str, Options] = field(default_factory=dict)
    fleet: FleetSettings = field(default_factory=FleetSettings)

    def find(self, words: str) -> ConfiguredDatabase | None:
        """Return the database of a name."""
        return next((one for one in self.databases if one.name == words), None)

    def place_of(self, words: Path) -> Path:
        """Return the path of a database by its name; a file of that name comes first."""
        known = None if "/" in str(words) or words.exists() else self.find(str(words))
        return known.path if known else words

    def at(self, path: Path) -> ConfiguredDatabase | None:
        """Return the database at a place."""
        place = path.resolve()
        return next((one for one in self.databases if one.path.resolve() == place), None)

    def profile(self, name: str | None) -> Options:
        """Return the options of a profile; raises UsageError where there is none of that name."""
        if name is None:
            return {}
        require_known(self.file, "profiles.", {name: 0}, tuple(self.profiles))
        return self.profiles[name]

    def place(self, words: str) -> Path:
        """Return a path as the file means it: from its folder, ``~`` being the home folder."""
        return place_path(self.file, words)


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
    require_known(file, "", said, _TOP)
    tables = table_of(file, "databases", said.get("databases", {}), "[databases.main]")
    profiles = table_of(file, "profiles", said.get("profiles", {}), "[profiles.nightly]")
    databases = tuple(_database(file, name, table) for name, table in tables.items())
    return Configuration(
        file,
        found=True,
        databases=databases,
        agents=_agents(file, said.get("agents", {}), databases),
        defaults=table_of(file, "defaults", said.get("defaults", {}), "[defaults]"),
        profiles={
            name: table_of(file, f"profiles.{name}", table, f"[profiles.{name}]")
            for name, table in profiles.items()
        },
        fleet=read_fleet(file, said.get("fleet", {})),
    )


def _database(file: Path, name: str, value: object) -> ConfiguredDatabase:
    where = f"databases.{name}"
    table = table_of(file, where, value, "[databases.main]")
    require_known(file, f"{where}.", table, _KEYS)
    for key in _PATHS:
        said = table.get(key)
        if (said is None and key == "path") or (said is not None and not is_path(said)):
            raise UsageError(f"{file}: {where}.{key} must be a path")
    profile = table.get("profile")
    if profile is not None and not isinstance(profile, str):
        raise UsageError(f"{file}: {where}.profile must be the name of a profile")
    path, vault = (place_path(file, str(table[key])) if key in table else None for key in _PATHS)
    options = table_of(file, f"{where}.defaults", table.get("defaults", {}), f"[{where}.defaults]")
    settings = read_settings(file, where, table)
    return ConfiguredDatabase(name, path or Path(), vault, profile, options, settings)


def _agents(
    file: Path, value: object, databases: tuple[ConfiguredDatabase, ...]
) -> ConfiguredAgents:
    table = table_of(file, "agents", value, "[agents]")
    require_known(file, "agents.", table, _OF_AGENTS)
    names, folders = (_texts(file, table, key) for key in _OF_AGENTS)
    named = {one.name: one for one in databases}
    for number, name in enumerate(names, start=1):
        if name not in named:
            wrong = f"agents.databases: number {number} is not the name of a database"
            raise UsageError(f"{file}: {wrong}; name one that has a [databases.NAME]")
    return ConfiguredAgents(
        tuple(named[name] for name in dict.fromkeys(names)),
        tuple(place_path(file, words) for words in folders),
    )


def _texts(file: Path, table: Mapping[str, object], key: str) -> list[str]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(map(is_path, value)):
        raise UsageError(f"{file}: agents.{key} must be a list of texts")
    return value
