"""``midden guard install``: put the guard in front of ``neotoma reset``."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from neotoma_core.cli.options import JSON_OPTION


def guard(
    *,
    action: Annotated[Literal["install"], typer.Argument(help="What to do: install.")],
    file: Annotated[
        Path | None,
        typer.Option(help="The shell's start-up file [default: ~/.bashrc or ~/.zshrc]."),
    ] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Write it; otherwise only print.")] = False,
    json: Annotated[bool, JSON_OPTION] = False,
) -> None:
    """Print a shell function that asks ``midden reset`` first when ``neotoma reset`` is typed.

    With --apply it is written to the start-up file, once; what is there stays.
    """
    from neotoma_core.ops.shell_guard import install_guard
    from neotoma_core.settings import shell_startup_file

    assert action == "install"  # noqa: S101 - the parser lets nothing else through
    report = install_guard(file or shell_startup_file(), apply=apply)
    if json:
        print(report.to_json())
        return
    print(report.function, end="")
    if report.outcome == "printed":
        print(f"# to write it to {report.file}: midden guard install --apply")
    else:
        print(f"# {report.outcome}: {report.file}; open a new shell")
        print(f"# undo: {report.undo}")
