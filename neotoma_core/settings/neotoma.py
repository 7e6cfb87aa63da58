"""Which database Neotoma itself uses, by the environment and its own settings files.

Source: format, section 6.1, and Neotoma's configuration reference. Where two settings contradict
each other, it depends on the mode Neotoma is in which one counts; then no database is named.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from neotoma_core.errors import UsageError
from neotoma_core.neotoma.environments import DATABASE_NAMES, Environment, environment_of
from neotoma_core.settings.neotoma_commands import environment_named
from neotoma_core.settings.neotoma_files import (
    Stated,
    find_checkout,
    find_stated,
    project_env_files,
    read_config,
)

_DATA: Final = "NEOTOMA_DATA_DIR"
_DATABASE: Final = "NEOTOMA_SQLITE_PATH"
_RAW_FILES: Final = "NEOTOMA_RAW_STORAGE_DIR"
_ENVIRONMENT: Final = "NEOTOMA_ENV"


@dataclass(frozen=True, slots=True)
class NeotomaSettings:
    """Where settings come from: variables, the user's home folder, the folder Neotoma runs in."""

    variables: Mapping[str, str]
    home: Path
    here: Path

    def database(self, named: Environment | None) -> Path:
        """Return the database of the environment that is ``named``, or of the usual one.

        Raises UsageError where settings contradict each other or cannot be understood.
        """
        environment = named or self._usual_environment()
        path = self._path(_DATABASE, environment)
        if path is None:
            folder = self._path(_DATA, environment) or self._users_folder()
            return (folder or self._default_folder()) / DATABASE_NAMES[environment]
        if named and environment_of(path.name) not in (None, named):
            raise _unclear(f"{_DATABASE} does not name a {named} database")
        return path

    def data_folder(self) -> Path | None:
        """Return the folder with Neotoma's databases; None where nothing says which."""
        set_to = self.variables.get(_DATA)
        if set_to:
            return self.here / Path(set_to).expanduser()
        stated = self._of_project(_DATA, "development")
        return _path_of(stated) if stated else self._users_folder()

    def raw_storage(self, database: Path) -> Path | None:
        """Return the folder with a database's raw files, where a setting says that.

        None for a database that is not the one Neotoma's settings name: the folder holds that one's
        files, and an erasure removes some.
        """
        stated = self._read_setting(_RAW_FILES, environment_of(database.name) or "development")
        if stated is None or not self._may_be_used(database):
            return None
        return _path_of(stated)

    def _may_be_used(self, database: Path) -> bool:
        """Return whether a database may be the one that Neotoma uses."""
        named = self._read_setting(_DATABASE, environment_of(database.name) or "development")
        if named is not None:
            return _path_of(named).resolve() == database.resolve()
        data = self.data_folder()
        return data is None or data.resolve() == database.resolve().parent

    def _read_setting(self, name: str, environment: Environment) -> Stated | None:
        """Return a setting of the environment, the project or the user, the first that has it."""
        set_to = self.variables.get(name)
        if set_to:
            return Stated(set_to, self.here)
        users = find_stated([self._config_folder / ".env"], name)
        of_user = Stated(users.value, self.here) if users else None
        return self._of_project(name, environment) or of_user

    def _usual_environment(self) -> Environment:
        """Return what NEOTOMA_ENV says, or what Neotoma remembers, or production, its default."""
        stated = self._of_project(_ENVIRONMENT, "development")
        words = [self.variables.get(_ENVIRONMENT), stated.value if stated else None]
        said = {environment_named(word) for word in words if word}
        if len(said) > 1:
            raise _unclear(f"{_ENVIRONMENT} differs between the environment and the project's .env")
        remembered = str(self._config().get("preferred_env") or "production")
        environment = next(iter(said)) if said else environment_named(remembered)
        if environment is None:
            raise _unclear(f"{_ENVIRONMENT} is neither production nor development")
        return environment

    def _path(self, name: str, environment: Environment) -> Path | None:
        """Return a path that a variable or the project sets; raises UsageError if they differ."""
        set_to, stated = self.variables.get(name), self._of_project(name, environment)
        paths = [self.here / Path(set_to).expanduser()] if set_to else []
        paths += [_path_of(stated)] if stated else []
        if len({path.resolve() for path in paths}) > 1:
            raise _unclear(f"{name} differs between the environment and the project's .env")
        return paths[0] if paths else None

    def _of_project(self, name: str, environment: Environment) -> Stated | None:
        checkout = self._checkout()
        projects = [checkout, self.here] if checkout else [self.here]
        files = [file for folder in projects for file in project_env_files(folder, environment)]
        return find_stated(files, name)

    def _users_folder(self) -> Path | None:
        """Return the data folder that ``neotoma init`` noted for this user."""
        stated = find_stated([self._config_folder / ".env"], _DATA)
        return self.here / Path(stated.value).expanduser() if stated else None

    def _default_folder(self) -> Path:
        return (self._checkout() or self.here) / "data"

    def _checkout(self) -> Path | None:
        roots = (self.variables.get(name) for name in ("NEOTOMA_PROJECT_ROOT", "NEOTOMA_REPO_ROOT"))
        named = next(filter(None, roots), None)
        return find_checkout(self._config_folder, named, self.here)

    def _config(self) -> Mapping[str, object]:
        return read_config(self._config_folder)

    @property
    def _config_folder(self) -> Path:
        return self.home / ".config" / "neotoma"


def _path_of(stated: Stated) -> Path:
    """Return a path from a project's file: relative ones are taken from the project's folder."""
    return stated.folder / Path(stated.value).expanduser()


def _unclear(wrong: str) -> UsageError:
    return UsageError(f"{wrong}; nothing was changed; name the database: midden reset --target DB")
