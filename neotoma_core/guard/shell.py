"""A shell function that stands in front of ``neotoma reset``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from neotoma_core.guard.startup_files import Marks, put_block, read_blocks
from neotoma_core.report.document import document
from neotoma_core.words.shell_words import quote_word

MARKS: Final = Marks("# midden guard:", "# midden guard ends")
# For bash and zsh. `function NAME` and not `NAME()`: an alias of that name is not expanded in it.
# Only the word decides here; what the line means is read in one place, `neotoma_commands.py`.
FUNCTION: Final = f"""\
{MARKS.begin} `neotoma reset` goes through `midden reset`, which backs up and asks first
function neotoma {{
  local word
  for word in "$@"; do
    case "$word" in
      reset)
        midden guard run -- "$@"
        return
        ;;
    esac
  done
  command neotoma "$@"
}}
{MARKS.end}
"""


@dataclass(frozen=True, slots=True)
class GuardReport:
    """The shell function, and what became of it.

    ``outcome``: ``printed``, ``written``, ``replaced`` (an older one was there), ``already there``.
    """

    outcome: str
    file: str
    function: str
    undo: str | None

    def to_json(self) -> str:
        """Return the report as one JSON document."""
        return document(self)


def install_guard(file: Path, *, apply: bool) -> GuardReport:
    """Return the shell function; where ``apply`` says so, it is put into a start-up file once.

    A function of an older midden gives way to it. Raises UsageError.
    """
    undo = f"sed -i.bak '/^{MARKS.begin}/,/^{MARKS.end}/d' {quote_word(file)}"
    blocks = read_blocks(file, MARKS)
    if blocks == (FUNCTION,):
        return GuardReport("already there", str(file), FUNCTION, undo)
    if not apply:
        return GuardReport("printed", str(file), FUNCTION, None)
    put_block(file, MARKS, FUNCTION)
    return GuardReport("replaced" if blocks else "written", str(file), FUNCTION, undo)
