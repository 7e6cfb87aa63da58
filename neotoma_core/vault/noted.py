"""Which vaults were made here, noted outside of them: one that is gone is not made again unasked.

A note is one small file per vault. That it is there is what counts; what it says is for messages,
so a note that was cut short is still one. Entry points say where notes are kept; a program that
uses midden as a library keeps none.
"""

import hashlib
import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import orjson

from neotoma_core.errors import VaultAbsent
from neotoma_core.files.private import make_folders
from neotoma_core.files.small import read_small

DESCRIPTION: Final = "vault.json"
"""The file that makes a folder a vault."""
_OF_BACKUPS: Final = "*/*/state.json"
_MOST_BYTES: Final = 1 << 16
_kept_in: list[Path] = []


def keep_notes_in(folder: Path | None) -> None:
    """From now on note the vaults that are opened in files of ``folder``; None: nowhere."""
    _kept_in[:] = [folder] if folder else []


def note_vault(vault: Path) -> None:
    """Note a vault that is there, if it is not noted yet; where that is impossible, it is not."""
    note = _note_of(vault)
    if note is None:
        return
    with suppress(OSError):
        if note.exists():
            return
        said = {"mounted_at": os.fsencode(_mount_of(vault.absolute())).hex()}
        make_folders(note.parent)
        with note.open("xb") as file:
            file.write(orjson.dumps(said))


def forget_vault(vault: Path) -> None:
    """Remove the note of a vault that is gone for good."""
    note = _note_of(vault)
    if note is not None:
        note.unlink(missing_ok=True)


def absent_vault(vault: Path, protects: Path) -> VaultAbsent | None:
    """Return the error for a vault that was made here and is gone; None where there is none.

    One that only lost its description still holds its backups: it is there.
    """
    note = _note_of(vault)
    if note is None or (vault / DESCRIPTION).exists() or any(vault.glob(_OF_BACKUPS)):
        return None
    try:
        made = datetime.fromtimestamp(note.stat().st_mtime, UTC).date()
    except OSError:  # not noted, or nobody can say
        return None
    return VaultAbsent(vault, protects, made, _disk_gone(note, vault.absolute()))


def _note_of(vault: Path) -> Path | None:
    if not _kept_in:
        return None
    digest = hashlib.sha256(os.fsencode(vault.absolute())).hexdigest()
    return _kept_in[0] / f"{digest[:32]}.json"


def _disk_gone(note: Path, vault: Path) -> Path | None:
    """Return where the disk that held a vault was mounted, if none is mounted there now."""
    try:
        said = orjson.loads(read_small(note, _MOST_BYTES))
        mount = Path(os.fsdecode(bytes.fromhex(said["mounted_at"])))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return mount if mount != _mount_of(vault) else None


def _mount_of(place: Path) -> Path:
    """Return where the disk is mounted that holds ``place``, or will once it is made."""
    return next(path for path in (place, *place.parents) if path.is_mount() or path == path.parent)
