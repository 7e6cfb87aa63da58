"""A shell's start-up file: somebody else's, to which a block is added in one step."""

from pathlib import Path

from neotoma_core.errors import UsageError
from neotoma_core.store.atomic import write_file


def has_block(file: Path, mark: str) -> bool:
    """Return whether a line of the file begins with ``mark``; raises UsageError."""
    return any(line.startswith(mark) for line in _text(file).splitlines())


def append_block(file: Path, block: str) -> None:
    """Add a block at the end; what is there stays, and so do its permissions.

    A link is followed: what it leads to is what is written. Raises UsageError.
    """
    place = file.resolve()
    text = _text(place)
    gap = "" if not text or text.endswith("\n") else "\n"
    mode = place.stat().st_mode & 0o777 if place.exists() else 0o644
    try:
        write_file(place, f"{text}{gap}{block}".encode(errors="surrogateescape"), mode=mode)
        place.chmod(mode)
    except OSError as error:
        raise _refused(file, error) from error


def _text(file: Path) -> str:
    try:
        return file.read_bytes().decode(errors="surrogateescape")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise _refused(file, error) from error


def _refused(file: Path, error: OSError) -> UsageError:
    reason = error.strerror or "cannot be used"
    return UsageError(f"{file}: {reason}; nothing was changed; name another with --file")
