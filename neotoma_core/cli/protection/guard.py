"""``midden guard``: stand in front of ``neotoma reset``."""

import os
import signal
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from neotoma_core.cli.terminal.options import JSON_OPTION
from neotoma_core.cli.terminal.strict import StrictCommand
from neotoma_core.words.shell_words import quote_word

_NEOTOMA: Final = "neotoma"
_NOT_FOUND: Final = 127  # as a shell has it
_NOT_EXECUTABLE: Final = 126

guard = typer.Typer(
    help="Guard `neotoma reset`: let it call `midden reset`.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@guard.command(cls=StrictCommand)
def install(
    *,
    file: Annotated[
        Path | None,
        typer.Option(help="The shell's start-up file [default: ~/.bashrc or ~/.zshrc]."),
    ] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Apply (default: only print).")] = False,
    json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Print the shell function that guards `neotoma reset`.

    It is for bash and zsh. With --apply it is written to the start-up file, once; the rest of the
    file stays the same.
    """
    from neotoma_core.guard.shell import install_guard
    from neotoma_core.report.layout import escape_name
    from neotoma_core.settings.environment import shell_startup_file

    report = install_guard(file or shell_startup_file(), apply=apply)
    if json:
        print(report.to_json())
        return
    print(report.function, end="")
    if report.outcome == "printed":
        named = f" --file {quote_word(file.absolute())}" if file else ""
        print(f"# to write it to {escape_name(report.file)}: midden guard install --apply{named}")
    else:
        print(f"# {report.outcome}: {escape_name(report.file)}; open a new shell")
        print(f"# undo: {report.undo}")


@guard.command(hidden=True)
def run(
    words: Annotated[list[str] | None, typer.Argument(help="The arguments of neotoma.")] = None,
) -> int:
    """Reset the database of a neotoma command line; run neotoma if it is not a reset."""
    from neotoma_core.cli.protection.reset import run_reset
    from neotoma_core.settings.environment import neotoma_settings, note_vaults
    from neotoma_core.settings.neotoma_commands import reset_asked

    note_vaults()
    asked = reset_asked(words or ())
    if asked is None:
        return _become_neotoma(words or [])
    target = neotoma_settings().database(asked.environment)
    print(f"guarded    midden reset --target {quote_word(target)}", file=sys.stderr)
    run_reset(target, environment=asked.environment, yes=asked.yes, json=asked.json)
    return 0


def _become_neotoma(words: list[str]) -> int:
    """Go on as neotoma, with the same arguments, input and exit code; return why that failed."""
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)  # Python ignores them, and a program would inherit it
    from neotoma_core.files.private import as_started

    as_started()
    try:
        os.execvp(_NEOTOMA, [_NEOTOMA, *words])  # noqa: S606 - the program the user called
    except FileNotFoundError:
        print(f"{_NEOTOMA}: command not found", file=sys.stderr)
        return _NOT_FOUND
    except OSError as error:
        print(f"{_NEOTOMA}: {error.strerror}", file=sys.stderr)
        return _NOT_EXECUTABLE
