"""What may be shown to an agent of what databases and disks hold: nothing that could instruct it.

Names come from outside: of files, of entity types, of ids. One is shown where it is short, plain
and of few words; else a stand-in that is the same each time. Times are shown as days. Pure.
"""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_PLAIN: Final = re.compile(r"[A-Za-z0-9_.:@+=,~() -]{1,64}")
_WORDS: Final = re.compile(r"[A-Za-z]+")
_MOST_WORDS: Final = 3
_FEWEST_LETTERS: Final = 3  # of a word in an id: hex digits spell shorter ones by chance
_MOST_LETTERS: Final = 16  # of a word
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
_USUAL: Final = {
    *("db", "sqlite", "sqlite3", "gz", "bak", "zip", "tar", "xz", "zst", "part", "wal", "tgz"),
    *("copy", "old", "prod", "dev", "neotoma"),
}
_SHOWN_FOLDERS: Final = 2
_SHORT: Final = 8
_LONGEST_VALUE: Final = 200


def plain_name(text: str | None, what: str) -> str | None:
    """Return a name that may be shown, or a stand-in that says ``what`` it is the name of."""
    if text is None:
        return None
    return text if is_plain_name(text) else f"[{what} {short_hash(text)}]"


def is_plain_name(text: str) -> bool:
    """Return whether a name says nothing but what something is called."""
    words = [word for word in _WORDS.findall(text) if word.lower() not in _USUAL]
    return (
        _PLAIN.fullmatch(text) is not None
        and len(words) <= _MOST_WORDS
        and all(len(word) <= _MOST_LETTERS for word in words)
    )


def plain_id(text: str | None) -> str | None:
    """Return an id that may be shown: letters, digits and dashes, as programs make them."""
    if text is None:
        return None
    words = [word for word in _WORDS.findall(text) if len(word) >= _FEWEST_LETTERS]
    made = re.fullmatch(r"[A-Za-z0-9_:-]{1,80}", text) is not None
    hexadecimal = re.fullmatch(r"(?:[a-z]{1,8}_)?[0-9a-f-]+", text) is not None
    return (
        text if made and (hexadecimal or len(words) <= _MOST_WORDS) else f"[id {short_hash(text)}]"
    )


def plain_path(path: Path, folders: tuple[Path, ...], member: str = "") -> str:
    """Return a path as it may be shown. ``folders``: those the person named, shown in full."""
    known = max(
        (f for f in folders if path.is_relative_to(f)), default=None, key=lambda f: len(f.parts)
    )
    parts = path.relative_to(known).parts if known else path.parts[-1:]
    hidden = len(parts) > _SHOWN_FOLDERS + 1
    shown = [plain_name(part, "name") or "" for part in parts[-_SHOWN_FOLDERS - 1 :]]
    if not is_plain_name(" ".join(parts[-_SHOWN_FOLDERS - 1 : -1])):
        shown = [
            *(f"[name {short_hash(part)}]" for part in parts[-_SHOWN_FOLDERS - 1 : -1]),
            shown[-1],
        ]
    start = [str(known)] if known else []
    inner = f"!{plain_name(Path(member).name, 'name')}" if member else ""
    return "/".join([*start, *(["…"] if hidden else []), *shown]) + inner


def day_of(moment: str | None) -> str | None:
    """Return the day of a time; None for what is not one."""
    found = _DAY.match(moment) if moment else None
    return found[0] if found else None


def count_names(counts: Mapping[str, int], what: str, most: int = 12) -> dict[str, int]:
    """Return counts by name, the largest first; unusual names, and the rest, together."""
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    named = [(name, number) for name, number in ordered if is_plain_name(name)]
    shown = dict(named[:most])
    others = sum(counts.values()) - sum(shown.values())
    return {**shown, f"[other {what}s]": others} if others else shown


def in_words(counts: Mapping[str, int]) -> str:
    """Return counts as a person would say them: "412 contacts, 1,103 tasks"."""
    return ", ".join(
        f"{number:,} {name if name.startswith('[') else _plural(name, number)}"
        for name, number in counts.items()
    )


def plain_value(text: str | None) -> str | None:
    """Return a stored value in one short line, for a person who allowed it."""
    if text is None:
        return None
    line = "".join(c if c.isprintable() else " " for c in text)
    return line if len(line) <= _LONGEST_VALUE else f"{line[:_LONGEST_VALUE]}…"


def short_hash(text: str) -> str:
    """Return the same few digits for the same text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_SHORT]


def _plural(name: str, number: int) -> str:
    words = name.replace("_", " ")
    if number == 1 or words.endswith("s"):
        return words
    if words.endswith("y") and words[-2:-1] not in "aeiou":
        return f"{words[:-1]}ies"
    return f"{words}s"
