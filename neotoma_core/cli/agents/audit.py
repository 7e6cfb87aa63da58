"""``midden audit``: what agents asked, and what came of it."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from neotoma_core.cli.terminal.options import JSON_OPTION, TARGET_OPTION, VAULT_OPTION

if TYPE_CHECKING:
    from neotoma_core.agents.audit import AuditLine


def audit(
    *,
    target: Annotated[Path, TARGET_OPTION],
    last: Annotated[int, typer.Option(help="How many calls to show.", min=1)] = 50,
    json: Annotated[bool, JSON_OPTION] = False,
    vault: Annotated[Path | None, VAULT_OPTION] = None,
) -> None:
    """Show what agents asked about a database, and what came of it.

    Every call is in the log of the database's vault, which only grows. Exit code 22: a line of it
    was changed or removed.
    """
    from neotoma_core.agents.audit import read_lines
    from neotoma_core.report.document import document
    from neotoma_core.settings.environment import default_vault

    lines = read_lines(vault or default_vault(target))[-last:]
    if json:
        print(document(lines))
        return
    print("\n".join(_text(lines)) or "no agent asked anything")


def _text(lines: Sequence["AuditLine"]) -> Iterator[str]:
    from neotoma_core.neotoma.json import stringify
    from neotoma_core.report.layout import escape_name

    for line in lines:
        said = " ".join(filter(None, (line.outcome, line.code, line.decision)))
        asked = stringify(dict(line.arguments)) if line.arguments else ""
        shown = f"{line.at}  {line.client:<14} {line.tool:<16} {said:<24} {asked}"
        yield escape_name(shown).rstrip()
        if line.detail:
            yield escape_name(f"{'':<22}{line.detail}")
