"""``midden approve``: a person reads a plan that an agent made, and says yes or no."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from neotoma_core.cli.terminal.asking import ask, end_declined
from neotoma_core.cli.terminal.options import VAULT_OPTION
from neotoma_core.errors import UsageError

if TYPE_CHECKING:
    from neotoma_core.agents.plans import Found


def approve(
    plan: Annotated[str, typer.Argument(help="The plan, as the agent names it.", metavar="PLAN")],
    *,
    vault: Annotated[Path | None, VAULT_OPTION] = None,
) -> None:
    """Approve a recovery that an agent planned.

    Shows the plan and asks, at a terminal only. The agent can then carry it out, once, if nothing
    changed meanwhile.
    """
    from datetime import UTC, datetime

    from neotoma_core.agents.plans import approve_plan, find_plan
    from neotoma_core.agents.refusals import Refused
    from neotoma_core.report.layout import escape_name
    from neotoma_core.settings.environment import vaults_of_user

    now = datetime.now(UTC)
    try:
        found = find_plan((vault,) if vault else vaults_of_user(), plan, now)
    except Refused as refused:
        where = "" if vault else "; if its vault is elsewhere, name it with --vault"
        raise UsageError(f"{escape_name(plan)[:80]}: {refused.words}{where}") from None
    for line in found.plan.text:
        print(escape_name(line))
    left = int((found.plan.expires_at - now).total_seconds() // 60)
    print(f"{'expires':<10} in {left} minutes")
    if not sys.stdin.isatty():
        raise UsageError("standard input is not a terminal; a person has to approve a plan")
    if not _ask_person(found):
        end_declined("the plan is not approved", json=False)
    approve_plan(found)
    print(f"{'approved':<10} tell the agent to go on")


def _ask_person(found: "Found") -> bool:
    """Return whether the person agrees; where a production database may lose rows, by its name."""
    plan = found.plan
    name = Path(plan.target).name
    if not (plan.production and plan.loss):
        return ask(f"let the agent carry this out on {plan.target}?", yes=False)
    print(f"{name} is a production database ({plan.production}) and rows may go", file=sys.stderr)
    print(f"type the name of the database to go on ({name}): ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().rstrip("\n") == name
