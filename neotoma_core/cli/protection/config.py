"""``midden config``: what midden.toml says, and whether it can be used."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neotoma_core.cli.terminal.configured import (
    PLACES,
    catalog_of,
    options_of,
    variable_of,
    variables_of,
)
from neotoma_core.cli.terminal.options import JSON_OPTION
from neotoma_core.cli.terminal.strict import StrictCommand
from neotoma_core.errors import UsageError
from neotoma_core.words.nearest import nearest_named

if TYPE_CHECKING:
    from neotoma_core.settings.configured import ConfigReport, ConfiguredValue

_UNUSABLE = 2

config = typer.Typer(
    help="Show or check midden.toml: databases, and options of commands.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@config.command(cls=StrictCommand)
def show(
    context: typer.Context,
    command: Annotated[
        list[str] | None,
        typer.Argument(
            help="A command, to see each of its options, as `config show remote add`.",
            show_default=False,
        ),
    ] = None,
    *,
    target: Annotated[
        Path | None,
        typer.Option(help="The database it would be called for.", show_default=False),
    ] = None,
    json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Print what is configured, and where each value comes from.

    Secrets are not shown. With a command: the value that each of its options has, from midden.toml,
    the environment, or by default.
    """
    from neotoma_core.settings.configured import config_text, configured_report

    root = context.find_root()
    options = tuple(_effective(root, command, target)) if command else None
    report = configured_report(variables_of(catalog_of(root.command)), options)
    print(report.to_json() if json else config_text(report))


@config.command(cls=StrictCommand)
def check(context: typer.Context, *, json: Annotated[bool, JSON_OPTION] = False) -> int:
    """Check that the file is valid and that its databases exist.

    Exit code 2: the file is invalid, names a database that does not exist, one twice, or one vault
    for several, or a variable called MIDDEN_… sets nothing.
    """
    from neotoma_core.settings.configured import config_text, configured_report

    report = configured_report(variables_of(catalog_of(context.find_root().command)))
    report = _with_refused(report)
    print(report.to_json() if json else config_text(report))
    return 0 if report.is_usable else _UNUSABLE


def _with_refused(report: "ConfigReport") -> "ConfigReport":
    """Return the report, with the databases that a fleet refuses."""
    from dataclasses import replace

    from neotoma_core.fleet.entries import list_entries
    from neotoma_core.settings.environment import configuration

    known = [one for one in list_entries(configuration()) if one.refusal]
    return replace(report, refused=tuple(f"{one.name}: {one.refusal}" for one in known))


def _effective(
    root: Any,  # noqa: ANN401 - the parser's own
    words: list[str],
    target: Path | None,
) -> "Iterator[ConfiguredValue]":
    """Yield the options of a command with their values, by asking its own parser."""
    from neotoma_core.settings.configuration import NAME
    from neotoma_core.settings.configured import ConfiguredValue, shown_value

    command: Any = root.command
    context: Any = root
    for word in words:
        below = getattr(command, "commands", {})
        if word not in below:
            raise UsageError(f"{' '.join(words)}: no such command{nearest_named(word, below)}")
        command = below[word]
        context = command.context_class(command, info_name=word, parent=context)
    options = dict(options_of(command))
    said = ["--target", str(target)] if target is not None and "target" in options else []
    context.resilient_parsing = True
    command.parse_args(context, said)
    for name, parameter in options.items():
        source = context.get_parameter_source(parameter.name)
        origins = {
            "COMMANDLINE": "command line",
            "ENVIRONMENT": variable_of(tuple(words), name),
            "DEFAULT_MAP": f"{NAME}: {context.meta.get(PLACES, {}).get(parameter.name, '')}",
        }
        value = context.params.get(parameter.name)
        shown = "" if value is None else shown_value(value)
        yield ConfiguredValue(name, shown, origins.get(source.name if source else "", "default"))
