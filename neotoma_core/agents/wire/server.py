"""The server of the SDK with its tools: those that read, and, where it was allowed, those that do.

A tool only says what it takes; what it does is loaded with the first call.
"""

from typing import Annotated, Any, Final, Literal

from mcp.server.mcpserver import Context, MCPServer
from mcp_types import CallToolResult, ToolAnnotations
from pydantic import Field

from neotoma_core.agents.answers import (
    Backups,
    Comparison,
    Copies,
    Explained,
    Planned,
    Reports,
    Snapshots,
    Status,
)
from neotoma_core.agents.pages import Page
from neotoma_core.agents.scope import Scope
from neotoma_core.agents.wire.desk import Desk
from neotoma_core.agents.wire.late import Late, load
from neotoma_core.agents.wire.pages import INSTRUCTIONS, add_pages
from neotoma_core.agents.wire.writing import add_write_tools

READS: Final = ToolAnnotations(
    read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)
PLANS: Final = ToolAnnotations(
    read_only_hint=True, destructive_hint=False, idempotent_hint=False, open_world_hint=False
)
Target = Annotated[str, Field(description="Path of the database; may be left out if only one.")]
Cursor = Annotated[str, Field(description="The cursor of the page before; leave it out first.")]
Limit = Annotated[int, Field(description="Items of a page.", ge=1, le=50)]
Folders = Annotated[list[str], Field(description="Folders to look in, within the allowed ones.")]
CopyIds = Annotated[list[str], Field(description="Ids that find_copies showed.")]
Context_ = Context[Any, Any]


def build_server(scope: Scope, version: str) -> MCPServer[Any]:
    """Return the server: read tools always, the others where the scope allows recovery."""
    desk = Desk(scope)
    server: MCPServer[Any] = MCPServer(
        "midden",
        title="Midden",
        instructions=INSTRUCTIONS,
        version=version,
        log_level="CRITICAL",
        middleware=[desk.write_others_down],
        subscriptions=False,
    )
    known = Late(lambda: load("copies").Known())
    _add_copy_tools(server, desk, known)
    _add_planning(server, desk, known)
    _add_vault_tools(server, desk)
    add_pages(server, desk)
    if scope.recover:
        add_write_tools(server, desk)
    return server


def _add_copy_tools(server: MCPServer[Any], desk: Desk, known: Late[Any]) -> None:
    scope = desk.scope

    @server.tool(annotations=READS)
    async def get_status(ctx: Context_, target: Target = "") -> Annotated[CallToolResult, Status]:
        """Say whether a database lost data, what protects it, and what to do next; or of all."""
        return await desk.call(
            ctx,
            "get_status",
            {"target": target},
            lambda watched: load("copies").status(scope, target, watched),
        )

    @server.tool(annotations=READS)
    async def find_copies(
        ctx: Context_,
        folders: Folders = [],
        cursor: Cursor = "",
        limit: Limit = 10,
    ) -> Annotated[CallToolResult, Copies]:
        """Find copies of Neotoma databases, also damaged, renamed, compressed and archived ones."""
        return await desk.call(
            ctx,
            "find_copies",
            {"folders": folders, "cursor": cursor, "limit": limit},
            lambda w: load("copies").find(scope, known.value, folders, Page(cursor, limit), w),
        )

    @server.tool(annotations=READS)
    async def compare_copies(
        ctx: Context_,
        target: Target = "",
        copies: CopyIds = [],
    ) -> Annotated[CallToolResult, Comparison]:
        """Compare copies with a database: counts, days, types, and what would come back."""
        return await desk.call(
            ctx,
            "compare_copies",
            {"target": target, "copies": copies},
            lambda w: load("copies").compare(scope, known.value, target, copies, w),
        )


def _add_planning(server: MCPServer[Any], desk: Desk, known: Late[Any]) -> None:
    scope = desk.scope

    @server.tool(annotations=PLANS)
    async def plan_recovery(
        ctx: Context_,
        target: Target = "",
        copies: CopyIds = [],
        folders: Folders = [],
        backup: Annotated[str, Field(description="A backup of the vault, by its number.")] = "",
        mode: Annotated[
            Literal["keep-target", "keep-source"],
            Field(description="Which row stays if both have it and they differ."),
        ] = "keep-target",
        as_of: Annotated[
            str, Field(description="A day or UTC time: what the archive says was held then.")
        ] = "",
        remote: Annotated[
            str, Field(description="A remote of the database by its name; no address.")
        ] = "",
    ) -> Annotated[CallToolResult, Planned]:
        """Plan a recovery from copies, folders, a backup or a remote; or from all that is found.

        Nothing is changed. The plan can be used once and expires; it is refused if the database,
        a copy or the remote changes.
        """
        arguments = {
            "target": target, "copies": copies, "folders": folders, "backup": backup, "mode": mode,
            "as_of": as_of, "remote": remote,
        }  # fmt: skip
        asked = Late(
            lambda: load("sources").Asked(target, copies, folders, backup, mode, as_of, remote)
        )
        return await desk.call(
            ctx,
            "plan_recovery",
            arguments,
            lambda w: (
                load("as_of").plan_as_of(scope, asked.value, w)
                if as_of
                else load("planning").plan(scope, known.value, asked.value, w)
            ),
        )


def _add_vault_tools(server: MCPServer[Any], desk: Desk) -> None:
    scope = desk.scope

    @server.tool(annotations=READS)
    async def list_backups(
        ctx: Context_, target: Target = "", cursor: Cursor = "", limit: Limit = 10
    ) -> Annotated[CallToolResult, Backups]:
        """List the backups of a database, newest first, and whether each is proven."""
        return await desk.call(
            ctx,
            "list_backups",
            {"target": target, "cursor": cursor, "limit": limit},
            lambda _: load("vault_tools").backups(scope, target, Page(cursor, limit)),
        )

    @server.tool(annotations=READS)
    async def check_snapshots(
        ctx: Context_, target: Target = ""
    ) -> Annotated[CallToolResult, Snapshots]:
        """Compare the state a database shows with its log: what drifted, and why."""
        return await desk.call(
            ctx,
            "check_snapshots",
            {"target": target},
            lambda watched: load("vault_tools").snapshots(scope, target, watched),
        )

    @server.tool(annotations=READS)
    async def explain_entity(
        ctx: Context_,
        entity: Annotated[str, Field(description="The id of the entity.", max_length=200)],
        target: Target = "",
        cursor: Cursor = "",
        limit: Limit = 20,
    ) -> Annotated[CallToolResult, Explained]:
        """Tell the history of an entity from the archive; values only if the person allowed it."""
        return await desk.call(
            ctx,
            "explain_entity",
            {"entity": entity, "target": target, "cursor": cursor, "limit": limit},
            lambda _: load("vault_tools").explain_entity(
                scope, target, entity, Page(cursor, limit)
            ),
        )

    @server.tool(annotations=READS)
    async def read_report(
        ctx: Context_,
        run: Annotated[str, Field(description="A run; without it, the runs are listed.")] = "",
        target: Target = "",
        cursor: Cursor = "",
        limit: Limit = 10,
    ) -> Annotated[CallToolResult, Reports]:
        """List what was run on a database, or tell what one run did."""
        return await desk.call(
            ctx,
            "read_report",
            {"run": run, "target": target, "cursor": cursor, "limit": limit},
            lambda _: load("vault_tools").reports(scope, target, run, Page(cursor, limit)),
        )
