"""``midden completion``: what makes a shell complete midden's commands and options."""

import os
from enum import StrEnum
from typing import Annotated, Final

import typer
from typer.completion import (  # type: ignore[attr-defined]  # it names no exports
    completion_init,
    get_completion_script,
)

VARIABLE: Final = "_MIDDEN_COMPLETE"
"""Set by the shell function for the run that says what may come next."""


class Shell(StrEnum):
    """The shells that midden has a script for."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def completion(
    shell: Annotated[Shell, typer.Argument(help="Your shell: bash, zsh or fish.")],
) -> None:
    """Print what makes a shell complete midden's words.

    For bash: `midden completion bash > ~/.local/share/bash-completion/completions/midden`. For zsh:
    `midden completion zsh > _midden`, in a folder of $fpath. For fish: `midden completion fish >
    ~/.config/fish/completions/midden.fish`. Then open a new shell.
    """
    print(get_completion_script(prog_name="midden", complete_var=VARIABLE, shell=shell.value))


def prepare_completion() -> None:
    """Get ready to say what may come next, where the shell asks for that."""
    if os.environ.get(VARIABLE):
        completion_init()
