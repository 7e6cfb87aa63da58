"""The commands that messages and reports print: absolute and quoted, to be pasted anywhere."""

from pathlib import Path

from neotoma_core.settings import default_vault
from neotoma_core.shell_words import quoted_words


def command(*words: str | Path, target: Path, vault: Path) -> str:
    """Return one for a target; it names the vault where that is not the one it has anyway."""
    said = [*map(str, words), "--target", str(target.absolute())]
    if vault.absolute() != default_vault(target).absolute():
        said += ["--vault", str(vault.absolute())]
    return f"midden {quoted_words(*said)}"


def recover_command(target: Path, vault: Path) -> str:
    """Return the command that recovers a database from what is found around it."""
    return command("recover", target=target, vault=vault)
