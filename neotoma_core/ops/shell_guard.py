"""A shell function that stands in front of ``neotoma reset``."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from neotoma_core.report.document import document
from neotoma_core.store.startup_files import append_block, has_block

MARK: Final = "# midden guard"
FUNCTION: Final = f"""\
{MARK}: `neotoma reset` goes through `midden reset`, which backs up and asks first
neotoma() {{
  if [ "$1" = reset ] || [ "$2" = reset ]; then
    set -- "${{NEOTOMA_DATA_DIR:-data}}"
    case "${{NEOTOMA_ENV:-production}}" in
      dev*) set -- "$1/neotoma.db" ;;
      *) set -- "$1/neotoma.prod.db" ;;
    esac
    midden reset --target "${{NEOTOMA_SQLITE_PATH:-$1}}"
  else
    command neotoma "$@"
  fi
}}
{MARK} ends
"""


@dataclass(frozen=True, slots=True)
class GuardReport:
    """The shell function, and what became of it: ``printed``, ``written`` or ``already there``."""

    outcome: str
    file: str
    function: str
    undo: str | None

    def to_json(self) -> str:
        """Return the report as one JSON document."""
        return document(self)


def install_guard(file: Path, *, apply: bool) -> GuardReport:
    """Return the shell function; where ``apply`` says so, it is added to a start-up file once."""
    undo = f"sed -i.bak '/^{MARK}:/,/^{MARK} ends/d' {shlex.quote(str(file))}"
    if has_block(file, MARK):
        return GuardReport("already there", str(file), FUNCTION, undo)
    if not apply:
        return GuardReport("printed", str(file), FUNCTION, None)
    append_block(file, FUNCTION)
    return GuardReport("written", str(file), FUNCTION, undo)
