"""How much a command says: the options that every command has, spelled once, and what they set."""

import sys
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Final

import typer
from typer.main import get_command


class ProgressForm(StrEnum):
    """How progress is shown: as ``auto`` has it, as JSON lines, or not at all."""

    AUTO = "auto"
    JSON = "json"
    NONE = "none"


COMMON: Final = ("quiet", "verbose", "progress")
"""The options that every command has."""


@dataclass(slots=True)
class Manner:
    """What the user asked for. ``verbose``: each step is named as it begins and ends.

    ``json``: one document on standard output, as the command or midden.toml says.
    """

    quiet: bool = False
    verbose: bool = False
    json: bool = False
    progress: ProgressForm = ProgressForm.AUTO


MANNER: Final = Manner()
"""That of the command which this process runs."""


def wants_json() -> bool:
    """Return whether one JSON document is wanted on standard output."""
    if MANNER.json:
        return True
    words = sys.argv[1:]
    if words[:2] == ["guard", "run"]:  # the words of another program
        return False
    return "--json" in (words[: words.index("--")] if "--" in words else words)


def show_plan(text: str, *, yes: bool) -> None:
    """Print a plan before its question; quietly it is needed only where somebody has to answer."""
    if not MANNER.quiet:
        print(text)
    elif not yes:
        print(text, file=sys.stderr)


def common_options() -> list[Any]:
    """Return the options that every command has, for the parser; they set the manner."""
    return [parameter for parameter in get_command(_PLANTED).params if parameter.name in COMMON]


def _quiet(value: bool) -> bool:  # noqa: FBT001 - as typer calls it
    MANNER.quiet = value
    return value


def _verbose(value: bool) -> bool:  # noqa: FBT001 - as typer calls it
    MANNER.verbose = value
    return value


def _progress(value: ProgressForm) -> ProgressForm:
    MANNER.progress = ProgressForm(value)
    return value


_PLANTED: Final = typer.Typer(add_completion=False, rich_markup_mode=None)


@_PLANTED.command()
def _options(
    *,
    quiet: Annotated[
        bool,
        typer.Option(
            "--quiet",
            "-q",
            help="Print only questions, warnings and errors; the exit code says the rest.",
            callback=_quiet,
            expose_value=False,
        ),
    ] = False,
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose",
            help="Name each step on standard error, with its time.",
            callback=_verbose,
            expose_value=False,
        ),
    ] = False,
    progress: Annotated[
        ProgressForm,
        typer.Option(
            "--progress",
            help="Progress on standard error: auto (bars, at a terminal), json (a line per event) "
            "or none.",
            callback=_progress,
            expose_value=False,
        ),
    ] = ProgressForm.AUTO,
) -> None:
    """Take the options that all commands share."""
