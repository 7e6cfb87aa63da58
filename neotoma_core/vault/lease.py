"""One run in a vault, from taking it to leaving it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from neotoma_core.errors import UsageError, begin_record, run_record
from neotoma_core.files.failures import failures_named
from neotoma_core.vault import folder as vault
from neotoma_core.vault.leftovers import remove_needless, remove_of_nothing_done

PATIENCE_SECONDS: Final = 600.0  # for another run that is in the vault


@contextmanager
def vault_run(
    folder: Path, protects: Path, now: datetime, patience: float = 0.0
) -> Iterator[vault.RunFolders]:
    """Hold a vault, made where there is none, for a run of its own; its scratch goes when it ends.

    The record of what the run has done starts empty; where it stays so, no evidence is kept, since
    all that was copied is still there. ``patience``: seconds to wait for another run
    that is in it. Raises VaultError, and what ``failures_named`` does where the system fails.
    """
    record = begin_record(protects, folder)
    with failures_named(folder, "vault"):
        vault.open_vault(folder, protects)
        with vault.lock_vault(folder, patience):
            folders = vault.new_run(folder, now)
            finished = False
            try:
                remove_needless(folder, folders.name)
                yield folders
                finished = True
            except UsageError:  # such as that nobody can be asked: it ends before it changes any
                finished = True
                raise
            finally:
                if not (record.has_changed or run_record().has_changed):
                    remove_of_nothing_done(folders, finished=finished)
                vault.remove_work(folders, finished=finished)
