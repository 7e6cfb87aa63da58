"""Reading a Neotoma command line: is it a reset, and in what environment? Pure.

Facts: global options may stand before or after the command; ``dev`` or ``prod`` may be the first
word; what follows ``--`` is never an option. Only lines that may be a reset are judged here.
Source: the CLI reference of Neotoma 0.22 to 0.25, and what its programs accept.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from neotoma_core.errors import UsageError
from neotoma_core.neotoma.environments import Environment

RESET: Final = "reset"
_VALUED: Final = frozenset({"--base-url", "--env", "--log-file", "--servers", "--tunnel-provider"})
_HELP: Final = frozenset({"-h", "--help"})
_FLAGS: Final = frozenset(
    {
        *("--api-only", "--background", "--debug", "--json", "--no-log-file", "--no-servers"),
        *("--no-session", "--no-update-check", "--offline", "--pretty", "--tunnel"),
        *("-y", "--yes", "--interactive"),  # of reset itself
        *_HELP,
    }
)
_ENVIRONMENTS: Final[dict[str, Environment]] = {
    "dev": "development",
    "development": "development",
    "prod": "production",
    "production": "production",
}
_LEADING: Final = ("dev", "prod")
_ADVICE: Final = "nothing was changed; name the database: midden reset --target DB"


@dataclass(frozen=True, slots=True)
class Reset:
    """A reset that was asked for. ``environment``: the one that is named, None where none is."""

    environment: Environment | None
    yes: bool
    json: bool


@dataclass(frozen=True, slots=True)
class _Line:
    """The parts of a line that is a reset, if all its options are known."""

    words: tuple[str, ...]
    flags: frozenset[str]
    environments: tuple[str, ...]


def environment_named(word: str) -> Environment | None:
    """Return the environment a word names, as Neotoma spells them; None where it is not one."""
    return _ENVIRONMENTS.get(word.strip().lower())


def reset_asked(words: Sequence[str]) -> Reset | None:
    """Return the reset that a Neotoma command line asks for; None where it asks for none.

    ``words``: what follows ``neotoma``. Raises UsageError where it may be a reset and cannot be
    understood: to stop what is harmless costs a second try, to let a reset pass costs the data.
    """
    if RESET not in _possible_commands(words):
        return None
    line = _read(words)
    if line.flags & _HELP:
        return None
    if line.words != (RESET,):
        raise _unclear(f"words that reset does not take: {len(line.words) - 1}")
    named = {environment_named(word) for word in line.environments}
    if None in named:
        raise _unclear("an environment that is neither production nor development")
    if len(named) > 1:
        raise _unclear("production and development, both")
    confirmed = bool(line.flags & {"-y", "--yes"}) and "--interactive" not in line.flags
    return Reset(next(iter(named), None), confirmed, "--json" in line.flags)


def _possible_commands(words: Sequence[str]) -> frozenset[str]:
    """Return every word that may be the command: an unknown option may take the word after it."""
    commands: set[str] = set()
    reached = {1 if words and words[0] in _LEADING else 0}
    for place, word in enumerate(words):
        if place not in reached:
            continue
        if word == "--":
            commands.update(words[place + 1 : place + 2])
        elif word in _VALUED:
            reached.add(place + 2)
        elif not _is_option(word):
            commands.add(word)
        elif word in _FLAGS or "=" in word:
            reached.add(place + 1)
        else:
            reached |= {place + 1, place + 2}
    return frozenset(commands)


def _read(words: Sequence[str]) -> _Line:
    """Take a line apart; raises UsageError for an option that is unknown or lacks its value."""
    environments = [word for word in words[:1] if word in _LEADING]
    left = list(words[len(environments) :])
    plain: list[str] = []
    flags: set[str] = set()
    while left:
        word = left.pop(0)
        name, equals, value = word.partition("=")
        if word == "--":
            plain += left
            break
        if not _is_option(word):
            plain.append(word)
        elif word in _FLAGS:
            flags.add(word)
        elif name in _VALUED:
            if not equals and not left:
                raise _unclear(f"{name} without a value")
            stated = value if equals else left.pop(0)
            environments += [stated] if name == "--env" else []
        else:
            shown = name if name.startswith("--") else name[:2]
            raise _unclear(f"the option {shown}, which midden does not know")
    return _Line(tuple(plain), frozenset(flags), tuple(environments))


def _is_option(word: str) -> bool:
    return len(word) > 1 and word.startswith("-")


def _unclear(what: str) -> UsageError:
    return UsageError(
        f"neotoma reset with {what}; {_ADVICE}; where it was another command, put the command first"
    )
