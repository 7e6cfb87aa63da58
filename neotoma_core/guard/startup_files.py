"""A shell's start-up file: somebody else's, in which one block is ours, written in one step."""

from dataclasses import dataclass
from pathlib import Path

from neotoma_core.errors import UsageError, reason_of
from neotoma_core.files.atomic import write_file
from neotoma_core.files.small import read_small


@dataclass(frozen=True, slots=True)
class Marks:
    """How the first and the last line of a block begin."""

    begin: str
    end: str


def read_blocks(file: Path, marks: Marks) -> tuple[str, ...]:
    """Return the blocks that are in the file; raises UsageError."""
    return _parts(file, marks)[1]


def put_block(file: Path, marks: Marks, block: str) -> None:
    """Put a block at the end, or in the place of those there are; the rest of the file stays.

    So do its permissions. A link is followed: what it leads to is what is written. Raises
    UsageError.
    """
    place = file.resolve()
    texts, blocks = _parts(place, marks)
    before = texts[0] if blocks else "".join(texts)
    gap = "" if not before or before.endswith("\n") else "\n"
    text = "".join([before, gap, block, *(texts[1:] if blocks else ())])
    mode = place.stat().st_mode & 0o777 if place.exists() else 0o644
    try:
        write_file(place, text.encode(errors="surrogateescape"), mode=mode)
    except OSError as error:
        raise _refusal(file, error) from error


def _parts(file: Path, marks: Marks) -> tuple[list[str], tuple[str, ...]]:
    """Return the text around the blocks, one piece more than there are blocks, and the blocks."""
    texts, blocks, inside = [""], [], False
    for line in _text(file).splitlines(keepends=True):
        if not inside and line.startswith(marks.begin):
            blocks.append("")
            inside = True
        if not inside:
            texts[-1] += line
            continue
        blocks[-1] += line
        if line.startswith(marks.end):
            inside = False
            texts.append("")
    if inside:
        raise UsageError(
            f"{file}: the line that ends the block is missing ({marks.end}); nothing was changed; "
            "remove the block by hand"
        )
    return texts, tuple(blocks)


def _text(file: Path) -> str:
    try:
        return read_small(file).decode(errors="surrogateescape")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise _refusal(file, error) from error


def _refusal(file: Path, error: OSError) -> UsageError:
    return UsageError(f"{file}: {reason_of(error)}; nothing was changed; name another with --file")
