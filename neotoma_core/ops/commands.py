"""The commands that messages and reports print: absolute and quoted, to be pasted anywhere."""

from collections.abc import Sequence
from pathlib import Path

from neotoma_core.settings import default_vault
from neotoma_core.shell_words import quoted_words


def command(
    *words: str | Path, target: Path, vault: Path | None = None, then: Sequence[str | Path] = ()
) -> str:
    """Return one for a target; it names the vault where that is not the one it has anyway.

    ``words`` come before the target, ``then`` after it. Paths among them become absolute.
    """
    said = [*words, "--target", target, *then]
    if vault is not None and vault.absolute() != default_vault(target).absolute():
        said += ["--vault", vault]
    return f"midden {quoted_words(*(w.absolute() if isinstance(w, Path) else w for w in said))}"


def recover_command(target: Path, vault: Path) -> str:
    """Return the command that recovers a database from what is found around it."""
    return command("recover", target=target, vault=vault)
