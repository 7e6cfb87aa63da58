"""Options from ``midden.toml`` and the environment: where the command line names none.

Every option has a variable, MIDDEN_<COMMAND>_<OPTION>, and a place in the file; both come from the
definitions of the commands themselves.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from neotoma_core.settings.configuration import Configuration, ConfiguredDatabase
    from neotoma_core.settings.option_tables import Catalog, Kind, Words

_PREFIX: Final = "MIDDEN"
PLACES: Final = "midden.places"
"""Where a context keeps from which place of the file the value of each option is."""


def take_configured(ctx: Any, command: Any, given: Any) -> None:  # noqa: ANN401 - the parser's own
    """Let the parser find what the environment and the file say for the options of a command.

    ``given``: what the command line says. Raises UsageError for a file that cannot be used.
    """
    from neotoma_core.settings.environment import chosen_profile, configuration
    from neotoma_core.settings.option_tables import meant_value, require_options, stated_options

    words = words_of(ctx)
    for name, parameter in options_of(command):
        parameter.envvar, parameter.show_envvar = variable_of(words, name), False
    known = configuration()
    if not known.found:
        return
    catalog = catalog_of(ctx.find_root().command)
    require_options(known, catalog)
    database = _database(known, words, command, given)
    stated = stated_options(known, words, database, chosen_profile())
    found = {
        parameter.name: meant_value(known, catalog[words][name], stated[name])
        for name, parameter in options_of(command)
        if name in stated
    }
    places = {p.name: stated[name].place for name, p in options_of(command) if name in stated}
    target = dict(options_of(command)).get("target")
    if database is not None and target is not None and target.required:
        path = str(database.path)
        found.setdefault(target.name, [path] if target.multiple else path)
        places.setdefault(target.name, f"databases.{database.name}.path")
    ctx.default_map, ctx.meta[PLACES] = found, places


def _database(
    known: "Configuration",
    words: "Words",
    command: Any,  # noqa: ANN401 - the parser's own
    given: Any,  # noqa: ANN401 - the parser's own
) -> "ConfiguredDatabase | None":
    """Return the database that a command is about, by the command line or else the only one."""
    from neotoma_core.settings.environment import chosen_profile
    from neotoma_core.settings.option_tables import path_of, stated_options

    names = {p.name for p in command.params if p.name in ("database", "named", "target")}
    if not names:
        return None
    said = [given.get(name) for name in names] + [os.environ.get(variable_of(words, "target"))]
    path = next(filter(None, map(path_of, said)), None)
    if path is not None:
        return known.at(meant_database(path))
    general = stated_options(known, words, None, chosen_profile()).get("target")
    if general is not None:
        return known.find(str(general.value)) or known.at(known.place(str(general.value)))
    return known.databases[0] if len(known.databases) == 1 else None


def meant_database(words: Path) -> Path:
    """Return the database that a name or path means; a file of that name comes first."""
    from neotoma_core.settings.environment import configuration

    return configuration().place_of(words)


def options_of(command: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - the parser's own
    """Yield the options of a command that can be configured, by their names without dashes."""
    for parameter in command.params:
        names = [name for name in parameter.opts if name.startswith("--")]
        if names and names[0] != "--help":
            yield names[0].removeprefix("--"), parameter


def catalog_of(root: Any) -> "Catalog":  # noqa: ANN401 - the parser's own
    """Return the options of every command, by the definitions of the commands."""
    from neotoma_core.settings.option_tables import Option

    return {
        words: {name: Option(_kind(p), many=p.multiple) for name, p in options_of(command)}
        for words, command in _commands((), root)
        if words
    }


def _commands(words: "Words", command: Any) -> "Iterator[tuple[Words, Any]]":  # noqa: ANN401
    yield words, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from _commands((*words, name), inner)


def _kind(parameter: Any) -> "Kind":  # noqa: ANN401 - the parser's own
    if parameter.is_flag:
        return "switch"
    meant = str(parameter.type_descriptor.annotation)
    if "Path" in meant:
        return "path"
    return "number" if "int" in meant or "float" in meant else "text"


def variable_of(words: "Words", name: str) -> str:
    """Return the variable of an option of a command."""
    return "_".join((_PREFIX, *words, name)).upper().replace("-", "_")


def variables_of(catalog: "Catalog") -> tuple[str, ...]:
    """Return the variables of all options."""
    return tuple(variable_of(words, name) for words, options in catalog.items() for name in options)


def words_of(ctx: Any) -> "Words":  # noqa: ANN401 - the parser's own
    """Return the words of the command that is being parsed, without the program's name."""
    words = []
    while ctx.parent is not None:
        words.append(str(ctx.info_name))
        ctx = ctx.parent
    return tuple(reversed(words))
