"""How reports are laid out on a terminal: labels in front, columns that line up."""

from collections.abc import Sequence
from datetime import datetime
from textwrap import wrap
from typing import Final

from neotoma_core.errors import UNDO_ASKS

_LABEL: Final = 11
_SHOWN_PLACES: Final = 3
_FIRST_BYTE, _LAST_BYTE = 0xDC80, 0xDCFF
GAP: Final = "   "
_NARROW: Final = "  "
WIDTH: Final = 80
"""Columns of a terminal that a table has to fit."""
LABELLED: Final = _LABEL
"""How far a labelled line is indented."""
_LEAST: Final = 20  # columns that the last column of a table needs next to the others
_BELOW: Final = 4


def days(first: str | None, last: str | None) -> str:
    """Return a span of ISO times as days, the first and the last with a dash between.

    The years are given where they differ.
    """
    if first is None or last is None:
        return ""
    start, end = _day(first), _day(last)
    if first[:4] != last[:4]:
        start, end = f"{start} {first[:4]}", f"{end} {last[:4]}"
    return start if start == end else f"{start} \N{EN DASH} {end}"


def label_line(label: str, line: str) -> str:
    """Return a line behind its label, without one under the line before; printable throughout."""
    return f"{label:<{_LABEL - 1}} {escape_name(line)}".rstrip()


def label_lines(label: str, line: str) -> tuple[str, ...]:
    """Return a line behind its label, broken between words where it is wider than 80 columns."""
    parts = wrap(line, WIDTH - LABELLED, break_long_words=False, break_on_hyphens=False) or [""]
    return tuple(label_line("" if place else label, part) for place, part in enumerate(parts))


def undo_lines(undo: str) -> tuple[str, ...]:
    """Return that the command which undoes what was done asks, and the command, alone and last."""
    return label_line("note", UNDO_ASKS), label_line("undo", undo)


def cut_off_words(observed: str | None, known: str | None) -> str:
    """Return up to when a log was read; at least one of the times is given."""
    happened = f"observed up to {observed}" if observed else ""
    return ", ".join(filter(None, (happened, f"known by {known}" if known else "")))


def align(rows: Sequence[Sequence[str]], right: Sequence[int], gap: str = GAP) -> list[str]:
    """Return rows of cells as lines, columns aligned; those in ``right`` to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        gap.join(
            cell.rjust(width) if place in right else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def fit_columns(rows: Sequence[Sequence[str]], right: Sequence[int], indent: int = 0) -> list[str]:
    """Return rows of cells as aligned lines that fit 80 columns with the indent in front of them.

    Where they are wider, gaps shrink first. Then the last column is broken between words; or, if
    it is a column of numbers, those that do not fit follow in further lines, behind the same first
    cells. A word that is longer than its line stays whole, so that it can be copied.
    """
    room = WIDTH - indent
    for gap in (GAP, _NARROW):
        lines = align(rows, right, gap)
        if max(map(len, lines), default=0) <= room:
            return lines
    if len(rows[0]) - 1 in right:
        return _in_blocks(rows, right, room)
    return _break_last(rows, right, room)


def _break_last(rows: Sequence[Sequence[str]], right: Sequence[int], room: int) -> list[str]:
    """Break the last column between words; where too little is left for it, below its row."""
    first = align([row[:-1] for row in rows], right, _NARROW)
    start = max(map(len, first)) + len(_NARROW)
    below = room - start < _LEAST
    lines: list[str] = []
    for line, row in zip(first, rows, strict=True):
        parts = wrap(
            row[-1],
            room - (_BELOW if below else start),
            break_long_words=False,
            break_on_hyphens=False,
        )
        if below:
            lines += [line, *(" " * _BELOW + part for part in parts)]
        else:
            head = [f"{line:<{start}}{part}" for part in parts[:1]] or [line]
            lines += [*head, *(" " * start + part for part in parts[1:])]
    return lines


def _in_blocks(rows: Sequence[Sequence[str]], right: Sequence[int], room: int) -> list[str]:
    """Put the columns of numbers that do not fit into blocks below, behind the same first cells."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    kept = [place for place in range(len(widths)) if place not in right]
    used = sum(widths[place] + len(_NARROW) for place in kept) - len(_NARROW)
    blocks: list[list[int]] = [[]]
    left = room - used
    for place in (place for place in range(len(widths)) if place in right):
        needed = widths[place] + len(_NARROW)
        if blocks[-1] and needed > left:
            blocks.append([])
            left = room - used
        blocks[-1].append(place)
        left -= needed
    return [
        line
        for block in blocks
        for line in align(
            [[row[place] for place in (*kept, *block)] for row in rows],
            range(len(kept), len(kept) + len(block)),
            _NARROW,
        )
    ]


def _day(moment: str) -> str:
    try:
        parsed = datetime.fromisoformat(moment)
    except ValueError:
        return "?"
    return f"{parsed:%b} {parsed.day}"


def common_folder(places: Sequence[str]) -> str:
    """Return the folder, with its slash, that all places are below; nothing where there is none."""
    folders = [place.split("/")[:-1] for place in places]
    common = []
    for parts in zip(*folders, strict=False):
        if len(set(parts)) > 1:
            break
        common.append(parts[0])
    return "/".join(common) + "/" if any(common) else ""


def join_places(paths: Sequence[str]) -> str:
    """Return paths in one line: the first of them, where they are many."""
    more = len(paths) - _SHOWN_PLACES
    return ", ".join(paths[:_SHOWN_PLACES]) + (f" and {more:,} more" if more > 0 else "")


def escape_name(text: str) -> str:
    """Return a name that is safe to print and still differs from every other.

    Line ends, control characters and bytes that are not text are spelled as in a program.
    """
    return "".join(c if c.isprintable() else _spell(c) for c in text)


def _spell(character: str) -> str:
    code = ord(character)
    if _FIRST_BYTE <= code <= _LAST_BYTE:  # how Python keeps a byte that is not text
        return f"\\x{code - _FIRST_BYTE + 0x80:02x}"
    return character.encode("unicode_escape").decode()
