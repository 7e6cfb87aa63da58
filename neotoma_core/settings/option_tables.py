"""Options of commands in ``midden.toml``: which count for a command, and from where. Pure.

Weak to strong: ``[defaults]``, the profile, the database. In each, what is said for one command
counts more than what is said for all.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from neotoma_core.errors import UsageError
from neotoma_core.settings.configuration import (
    Configuration,
    ConfiguredDatabase,
    Options,
)
from neotoma_core.settings.database_tables import DatabaseSettings
from neotoma_core.words.nearest import nearest_named

Kind = Literal["switch", "number", "path", "text"]
_MEANT: Final[Mapping[Kind, str]] = {
    "switch": "true or false",
    "number": "a number",
    "path": "a path",
    "text": "a text",
}
_OF_ONE_COMMAND: Final = frozenset(
    {
        *("yes", "apply", "vault", "expect-empty", "skip-unreadable"),
        *("allow-environment-mismatch", "accept", "accept-loss", "new-vault"),
    }
)
"""What answers a question or waives a check is never said for all commands at once."""


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a command. ``many``: it may be given several times."""

    kind: Kind
    many: bool = False


Words = tuple[str, ...]
Catalog = Mapping[Words, Mapping[str, Option]]
"""The options of each command, by its words and by their names without dashes in front."""


@dataclass(frozen=True, slots=True)
class Stated:
    """A value as it is written, and its place in the file."""

    value: object
    place: str


def stated_options(
    known: Configuration, words: Words, database: ConfiguredDatabase | None, profile: str | None
) -> Mapping[str, Stated]:
    """Return what the file says for a command, by option, also what the command does not have.

    ``profile``: the one that was asked for. Raises UsageError where there is none of that name.
    """
    said: dict[str, Stated] = {}
    chosen = profile or (database.profile if database else None)
    said.update(_walk("defaults", known.defaults, words))
    said.update(_walk(f"profiles.{chosen}", known.profile(chosen), words))
    if database is not None:
        place = f"databases.{database.name}"
        said.update(_derive(place, database, words))
        said.update(_walk(f"{place}.defaults", database.options, words))
    return said


def _walk(place: str, table: Options, words: Words) -> Iterator[tuple[str, Stated]]:
    for key, value in table.items():
        if not isinstance(value, dict):
            yield key, Stated(value, f"{place}.{key}")
    inner = table.get(words[0]) if words else None
    if isinstance(inner, dict):
        yield from _walk(f"{place}.{words[0]}", inner, words[1:])


def _derive(place: str, database: ConfiguredDatabase, words: Words) -> Iterator[tuple[str, Stated]]:
    """Yield what a database says in words of its own, as options."""
    settings = database.settings
    if words == ("prune",):
        for key, value in settings.retention.items():
            said: object = value if key == "within" else int(value)
            yield f"keep-{key}", Stated(said, f"{place}.retention.{key}")
    if words[:1] == ("schedule",):
        for key, when in (("every", settings.every), ("at", settings.at)):
            if when is not None:
                yield key, Stated(when, f"{place}.schedule.{key}")
    if words == ("serve",) and (settings.every or settings.at):
        yield "backup-cron", Stated(_cron(settings), f"{place}.schedule")


def _cron(settings: DatabaseSettings) -> str:
    """Return when backups are taken in cron syntax; what is not said is as for a timer."""
    hour, _, minute = (settings.at or "03:00").partition(":")
    at = "*" if settings.every == "hourly" else str(int(hour))
    return f"{int(minute)} {at} * * {0 if settings.every == 'weekly' else '*'}"


def require_options(known: Configuration, catalog: Catalog) -> None:
    """Raise UsageError for an option or command that does not exist, or a value that cannot be."""
    tables = {"defaults": known.defaults}
    tables |= {f"profiles.{name}": table for name, table in known.profiles.items()}
    tables |= {f"databases.{one.name}.defaults": one.options for one in known.databases}
    for place, table in tables.items():
        _require(known, place, table, (), catalog)
    for one in known.databases:
        known.profile(one.profile)


def _require(
    known: Configuration, place: str, table: Options, words: Words, catalog: Catalog
) -> None:
    below = {c: o for c, o in catalog.items() if c[: len(words)] == words}
    commands = {c[len(words)] for c in below if len(c) > len(words)}
    options: dict[str, Option] = {}
    for of_command in below.values():
        options.update(of_command)
    for key, value in table.items():
        where = f"{known.file}: {place}.{key}"
        if isinstance(value, dict):
            if key not in commands:
                raise UsageError(f"{where}: no such command{nearest_named(key, commands)}")
            _require(known, f"{place}.{key}", value, (*words, key), catalog)
        elif key not in options:
            raise UsageError(f"{where}: no such option{nearest_named(key, options)}")
        elif key in _OF_ONE_COMMAND and key not in catalog.get(words, {}):
            of_one = f"{place}.COMMAND.{key}"
            raise UsageError(f"{where}: say it for one command only, as {of_one}")
        else:
            meant_value(known, options[key], Stated(value, f"{place}.{key}"))


def meant_value(known: Configuration, option: Option, stated: Stated) -> object:
    """Return a value as the parser takes it: paths from the folder of the file, lists of many.

    Raises UsageError, which never repeats the value.
    """
    values = stated.value if option.many and isinstance(stated.value, list) else [stated.value]
    if not all(_fits(option.kind, value) for value in values):
        several = ", or a list of them" if option.many else ""
        meant = f"{_MEANT[option.kind]}{several}"
        raise UsageError(f"{known.file}: {stated.place} must be {meant}")
    meant_values = [_interpret(known, option.kind, value) for value in values]
    return meant_values if option.many else meant_values[0]


def _fits(kind: Kind, value: object) -> bool:
    if kind == "switch":
        return isinstance(value, bool)
    if kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind == "path":
        return isinstance(value, str) and bool(value) and "\0" not in value
    return isinstance(value, str | int | float) and not isinstance(value, bool) and value != ""


def _interpret(known: Configuration, kind: Kind, value: object) -> object:
    if kind == "switch":
        return value
    if kind != "path" or "://" in str(value):
        return str(value)
    database = known.find(str(value))
    return str(database.path if database else known.place(str(value)))


def path_of(value: object) -> Path | None:
    """Return a value as a path, also a list of one; None for several."""
    only = value[0] if isinstance(value, list | tuple) and len(value) == 1 else value
    return Path(only) if isinstance(only, str | Path) and str(only) else None
