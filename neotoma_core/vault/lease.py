"""One run in a vault, from taking it to leaving it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from neotoma_core.errors import begin_record
from neotoma_core.files.failures import failures_named
from neotoma_core.vault import folder as vault
from neotoma_core.vault.leftovers import remove_needless


@contextmanager
def vault_run(
    folder: Path, protects: Path, now: datetime, patience: float = 0.0
) -> Iterator[vault.RunFolders]:
    """Hold a vault, made where there is none, for a run of its own; its scratch goes when it ends.

    The record of what the run has done starts empty. ``patience``: seconds to wait for another run
    that is in it. Raises VaultError, and what ``failures_named`` does where the system fails.
    """
    begin_record(protects, folder)
    with failures_named(folder, "vault"):
        vault.open_vault(folder, protects)
        with vault.lock_vault(folder, patience):
            folders = vault.new_run(folder, now)
            finished = False
            try:
                remove_needless(folder, folders.name)
                yield folders
                finished = True
            finally:
                vault.remove_work(folders, finished=finished)
