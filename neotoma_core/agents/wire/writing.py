"""The tools that write: by a plan, and a yes that counts only where it may."""

from typing import Annotated, Any, Final

import anyio.to_thread
from mcp.server.elicitation import AcceptedElicitation
from mcp.server.mcpserver import Context, Elicit, ElicitationResult, MCPServer, Resolve
from mcp_types import CallToolResult, ToolAnnotations
from pydantic import BaseModel, Field

from neotoma_core.agents.answers import Done
from neotoma_core.agents.refusals import Refused
from neotoma_core.agents.scope import Scope
from neotoma_core.agents.wire.desk import Desk
from neotoma_core.agents.wire.late import load

ADDS: Final = ToolAnnotations(
    read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=False
)
UNDOES: Final = ToolAnnotations(
    read_only_hint=False, destructive_hint=True, idempotent_hint=False, open_world_hint=False
)

Target = Annotated[str, Field(description="Path of the database; may be left out if only one.")]
Token = Annotated[str, Field(description="The plan, as plan_recovery or undo_recovery gave it.")]
Context_ = Context[Any, Any]


class Consent(BaseModel):
    """The person's answer to the question whether a plan is carried out."""

    go_ahead: bool = Field(description="Carry the plan out")


def add_write_tools(server: MCPServer[Any], desk: Desk) -> None:
    """Add the tools that back up, recover and undo."""
    scope = desk.scope

    async def ask_the_person(plan: str, ctx: Context_) -> Elicit[Consent] | Consent:
        question = await anyio.to_thread.run_sync(_question, scope, plan)
        if question is None or not can_ask(ctx):
            return Consent(go_ahead=False)
        return Elicit(question, Consent)

    @server.tool(annotations=ADDS)
    async def apply_recovery(
        plan: Token,
        answer: Annotated[ElicitationResult[Consent], Resolve(ask_the_person)],
        ctx: Context_,
    ) -> Annotated[CallToolResult, Done]:
        """Carry a plan out after the person agreed; a verified backup is taken first.

        Where the person cannot be asked here, and always for production databases, it answers
        approval_needed: they run `midden approve` in a terminal.
        """
        yes = isinstance(answer, AcceptedElicitation) and answer.data.go_ahead is True
        asked = can_ask(ctx)
        return await desk.call(
            ctx,
            "apply_recovery",
            {"plan": plan},
            lambda watched: _apply(scope, plan, "recover", watched, asked=asked, yes=asked and yes),
            writes=True,
        )

    @server.tool(annotations=UNDOES)
    async def undo_recovery(
        ctx: Context_,
        run: Annotated[str, Field(description="The run to undo: plans the undo.")] = "",
        plan: Annotated[str, Field(description="The plan of an undo, once it is approved.")] = "",
        target: Target = "",
    ) -> Annotated[CallToolResult, Done]:
        """Plan to undo a recovery by its run; or carry that plan out, once a person approved it."""

        def work(watched: Any) -> Any:
            if bool(run) == bool(plan):
                raise Refused("RUN_OR_PLAN", "give a run to plan its undo, or the plan; not both")
            if plan:
                return _apply(scope, plan, "undo", watched, asked=False, yes=False)
            return load("carrying_out").plan_undo(scope, target, run, watched)

        arguments = {"run": run, "plan": plan, "target": target}
        return await desk.call(ctx, "undo_recovery", arguments, work, writes=True)

    @server.tool(annotations=ADDS)
    async def backup_now(ctx: Context_, target: Target = "") -> Annotated[CallToolResult, Done]:
        """Back a database up into its vault, and prove the copy."""
        return await desk.call(
            ctx,
            "backup_now",
            {"target": target},
            lambda watched: load("backing_up").backup_now(scope, target, watched),
            writes=True,
        )


def can_ask(context: Context_) -> bool:
    """Return whether the client says that it can ask its person something."""
    capabilities = context.client_capabilities
    return capabilities is not None and capabilities.elicitation is not None


def _apply(
    scope: Scope,
    plan: str,
    kind: str,
    watched: Any,
    *,
    asked: bool,
    yes: bool,
) -> Any:
    doing = load("carrying_out")
    return doing.carry_out(scope, plan, kind, doing.Answered(asked, yes), watched)


def _question(scope: Scope, plan: str) -> str | None:
    """Return what to ask of a plan; None where an answer would not count, or on any error.

    Then the tool itself fails in the same way, and says so in words of our own.
    """
    try:
        question: str | None = load("carrying_out").question_of(scope, plan)
    except Exception:  # noqa: BLE001 - the tool that is called next fails in the same way
        return None
    return question
