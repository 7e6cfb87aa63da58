"""``midden.toml``: the databases by name, and options of commands. Read only.

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
    placed,
    read_settings,
    require_known,
    table_of,
)

NAME: Final = "midden.toml"
Options = Mapping[str, object]
"""Options as they are written: by name, and tables of them by command."""
_TOP: Final = ("databases", "defaults", "profiles")
_PATHS: Final = ("path", "vault")
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
class Configuration:
    """What a configuration file says; ``found``: whether there is one."""

    file: Path
    found: bool = False
    databases: tuple[ConfiguredDatabase, ...] = ()
    defaults: Options = field(default_factory=dict)
    profiles: Mapping[str, Options] = field(default_factory=dict)

    def named(self, words: str) -> ConfiguredDatabase | None:
        """Return the database of a name."""
        return next((one for one in self.databases if one.name == words), None)

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

    def placed(self, words: str) -> Path:
        """Return a path as the file means it: from its folder, ``~`` being the home folder."""
        return placed(self.file, words)


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
    return Configuration(
        file,
        found=True,
        databases=tuple(_database(file, name, table) for name, table in tables.items()),
        defaults=table_of(file, "defaults", said.get("defaults", {}), "[defaults]"),
        profiles={
            name: table_of(file, f"profiles.{name}", table, f"[profiles.{name}]")
            for name, table in profiles.items()
        },
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
    path, vault = (placed(file, str(table[key])) if key in table else None for key in _PATHS)
    options = table_of(file, f"{where}.defaults", table.get("defaults", {}), f"[{where}.defaults]")
    settings = read_settings(file, where, table)
    return ConfiguredDatabase(name, path or Path(), vault, profile, options, settings)
