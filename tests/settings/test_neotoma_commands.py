"""Which Neotoma command lines are a reset, which are not, and which are stopped."""

import itertools
from collections.abc import Collection, Sequence

import pytest

from neotoma_core.errors import UsageError
from neotoma_core.neotoma.environments import Environment
from neotoma_core.settings.neotoma_commands import Reset, reset_asked

RESETS: dict[str, tuple[Environment | None, bool, bool]] = {
    "reset": (None, False, False),
    "reset -y": (None, True, False),
    "reset --yes --json": (None, True, True),
    "-y reset": (None, True, False),
    "reset -y --interactive": (None, False, False),
    "--json reset": (None, False, True),
    "--env production reset": ("production", False, False),
    "--env=production reset": ("production", False, False),
    "--env prod reset": ("production", False, False),
    "--env development reset": ("development", False, False),
    "reset --env dev": ("development", False, False),
    "reset --env=development -y": ("development", True, False),
    "--env dev --env development reset": ("development", False, False),
    "prod reset": ("production", False, False),
    "dev reset": ("development", False, False),
    "dev --json reset --env dev": ("development", False, True),
    "--log-file X reset": (None, False, False),
    "--log-file=X reset": (None, False, False),
    "--log-file reset reset": (None, False, False),
    "--log-file --help reset": (None, False, False),
    "--base-url U --no-update-check --log-file X --env prod --json reset": (
        *("production", False),
        True,
    ),
    "--servers use-existing --tunnel --tunnel-provider ngrok --debug reset": (None, False, False),
    "--offline --api-only --pretty --no-session --no-servers --no-log-file reset": (
        *(None, False),
        False,
    ),
    "-- reset": (None, False, False),
    "--json -- reset": (None, False, True),
    "reset --": (None, False, False),
}
OTHERS = (
    "",
    "prod",
    "dev storage info",
    "entities list",
    "entities search reset",
    "access reset note",
    "--env production entities search reset",
    "--log-file reset",
    "--log-file reset entities list",
    "--log-file=reset status",
    "--base-url reset --env reset status",
    "--json prod reset",  # only the first word is an environment: here prod is the command
    "reset --help",
    "reset -h",
    "--help reset",
    "-- entities reset",
    "--unknown entities list",
    "--unknown=reset status",
    "entities --unknown reset",
    "--unknown a b reset",
    "Reset",
    "resets",
)
UNCLEAR = {
    "--unknown reset": "the option --unknown",
    "--unknown reset entities": "the option --unknown",
    "--unknown X reset": "the option --unknown",
    "--unknown --log-file reset status": "the option --unknown",
    "--unknown=secret reset": "the option --unknown",
    "-e production reset": "the option -e",
    "-psecret reset": "the option -p",
    "reset --data-dir secret": "the option --data-dir",
    "reset --unknown --help": "the option --unknown",
    "--json=1 reset": "the option --json",
    "reset now": "words that reset does not take: 1",
    "reset -- --help": "words that reset does not take: 1",
    "reset --env": "--env without a value",
    "--env staging reset": "neither production nor development",
    "--env= reset": "neither production nor development",
    "prod reset --env dev": "production and development, both",
    "--env prod reset --env dev": "production and development, both",
}


@pytest.mark.parametrize("line", RESETS)
def test_a_reset_is_seen_wherever_options_stand(line: str) -> None:
    assert reset_asked(line.split()) == Reset(*RESETS[line])


@pytest.mark.parametrize("line", OTHERS)
def test_what_is_no_reset_is_left_alone(line: str) -> None:
    assert reset_asked(line.split()) is None


@pytest.mark.parametrize("line", UNCLEAR)
def test_what_may_be_a_reset_and_is_not_understood_is_stopped(line: str) -> None:
    with pytest.raises(UsageError, match=UNCLEAR[line]) as raised:
        reset_asked(line.split())
    assert "secret" not in str(raised.value)
    assert "nothing was changed" in str(raised.value)


def test_words_may_be_anything() -> None:
    assert reset_asked(["note", "a b", "", "-", "reset now", "\udcff"]) is None
    assert reset_asked(["--log-file", "a b", "reset"]) == Reset(None, yes=False, json=False)
    with pytest.raises(UsageError, match="words"):
        reset_asked(["reset", ""])


UNKNOWN = ("--new", "-x")
ALPHABET = ("reset", "entities", "prod", "--", "--log-file", "--json", *UNKNOWN)


def command_of(words: Sequence[str], taking: Collection[int]) -> str | None:
    """Return the command that a parser runs; ``taking``: where an unknown option takes a value."""
    place = 1 if words[:1] == ("prod",) else 0
    while place < len(words):
        word = words[place]
        if word == "--":
            return words[place + 1] if place + 1 < len(words) else None
        if not word.startswith("-"):
            return word
        place += 2 if word == "--log-file" or place in taking else 1
    return None


@pytest.mark.parametrize("length", range(6))
def test_no_reset_passes_whatever_an_unknown_option_takes(length: int) -> None:
    for words in itertools.product(ALPHABET, repeat=length):
        unknown = [place for place, word in enumerate(words) if word in UNKNOWN]
        taking = (
            itertools.compress(unknown, chosen)
            for chosen in itertools.product((True, False), repeat=len(unknown))
        )
        may_be = any(command_of(words, set(places)) == "reset" for places in taking)
        try:
            passes = reset_asked(words) is None
        except UsageError:
            passes = False
        assert passes != may_be, words
