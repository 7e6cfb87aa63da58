"""The commands that messages and reports print: absolute and quoted, to be pasted anywhere."""

from collections.abc import Sequence
from pathlib import Path

from neotoma_core.errors import run_record
from neotoma_core.runs.run import Run
from neotoma_core.settings.environment import default_vault
from neotoma_core.words.shell_words import midden_command


def command(
    *words: str | Path, target: Path, vault: Path | None = None, then: Sequence[str | Path] = ()
) -> str:
    """Return one for a target; it names the vault where that is not the one it has anyway.

    ``words`` come before the target, ``then`` after it. Paths among them become absolute.
    """
    if vault is not None and vault.absolute() == default_vault(target).absolute():
        vault = None
    return midden_command(*words, target=target, vault=vault, then=then)


def command_again(*words: str | Path, then: Sequence[str | Path] = ()) -> str:
    """Return one for the target and the vault of the run that is under way, if any is."""
    record = run_record()
    if record.target is None:
        return midden_command(*words, target=None, vault=record.vault, then=then)
    return command(*words, target=record.target, vault=record.vault, then=then)


def recover_command(target: Path, vault: Path) -> str:
    """Return the command that recovers a database from what is found around it."""
    return command("recover", target=target, vault=vault)


def undo_command(run: Run) -> str:
    """Return the command that puts the target back to what the run's evidence holds."""
    folders = run.folders
    return command("restore", folders.evidence, target=run.path, vault=folders.vault)
