"""Parts of other machines' logs that a pull read, kept so that the next one reads what is new.

A part is kept as it is on the remote, sealed where that is. It is never trusted: it counts where it
opens to the content that its entry says; otherwise it is downloaded again. One with rows that were
erased is not kept, and an erasure removes all of them, since nobody can look into sealed ones.
"""

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from neotoma_core.erased.hashed import ErasedIds
from neotoma_core.files.exact_paths import read_parquet
from neotoma_core.remotes.known import CACHE
from neotoma_core.remotes.log import Log
from neotoma_core.remotes.models import Part
from neotoma_core.remotes.remote import Remote
from neotoma_core.row_versions.columns import REMOVED

KEPT: Final = "parts"


def kept_place(remote: Remote, part: Part) -> Path:
    """Return where a part of a log is, if it is kept."""
    return remote.cache / KEPT / part.content.sha256


def forget_erased(remote: Remote, parts: Iterable[tuple[Part, Path]], erased: ErasedIds) -> None:
    """Keep no part with rows that were erased; each with a file that has its content."""
    for part, path in parts if erased else ():
        if part.table == REMOVED or erased.rows_in(part.table, read_parquet(path)).any():
            kept_place(remote, part).unlink(missing_ok=True)


def forget_unnamed(remote: Remote, logs: Mapping[str, Log]) -> None:
    """Keep no part that no log names any more."""
    named = {part.content.sha256 for log in logs.values() for part in log.parts}
    for path in (remote.cache / KEPT).glob("*"):
        if path.name not in named:
            path.unlink()


def forget_all(vault: Path) -> None:
    """Keep no part of any remote."""
    for folder in vault.glob(f"{CACHE}/*/{KEPT}"):
        shutil.rmtree(folder)
