"""``midden mcp``: serve agents over the Model Context Protocol."""

import gc
import importlib.util
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from neotoma_core.cli.terminal.options import (
    KEY_FILE_OPTION,
    MNEMONIC_FILE_OPTION,
    VAULT_OPTION,
)
from neotoma_core.cli.terminal.strict import ConfiguredGroup, StrictCommand
from neotoma_core.errors import UsageError

if TYPE_CHECKING:
    from neotoma_core.agents.scope import Protected, Scope

_TARGETS: Final = typer.Option(
    "--target",
    help="A database that agents may ask about; repeat it [default: those of midden.toml].",
    show_default=False,
)
_FOLDERS: Final = typer.Option(
    "--folder",
    help="A folder in which copies may be found and used; repeat it [default: those of "
    "midden.toml, or the folders the databases are in].",
    show_default=False,
)
_RECOVER: Final = typer.Option(
    "--allow-recover", help="Also offer the tools that back up, recover and undo."
)
_VALUES: Final = typer.Option(
    "--allow-values", help="Show agents the stored values of an entity they ask about."
)
_APPROVE: Final = typer.Option(
    "--approve", help="Require `midden approve` for every plan, not only for production databases."
)

mcp = typer.Typer(cls=ConfiguredGroup, invoke_without_command=True, rich_markup_mode=None)


class Client(StrEnum):
    """A program with agents in it."""

    CLAUDE_DESKTOP = "claude-desktop"
    CLAUDE_CODE = "claude-code"
    CURSOR = "cursor"
    VSCODE = "vscode"


@mcp.callback()
def serve(
    context: typer.Context,
    *,
    target: Annotated[list[Path] | None, _TARGETS] = None,
    folder: Annotated[list[Path] | None, _FOLDERS] = None,
    allow_recover: Annotated[bool, _RECOVER] = False,
    allow_values: Annotated[bool, _VALUES] = False,
    approve: Annotated[bool, _APPROVE] = False,
    http: Annotated[
        int | None,
        typer.Option(
            help="Serve HTTP on this port of 127.0.0.1 instead of standard input; 0: any.",
            min=0,
            max=65535,
            show_default=False,
        ),
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(
            help="With --http: the file with the token clients must send; made if it does not "
            "exist [default: mcp.token in your settings folder].",
            show_default=False,
        ),
    ] = None,
    key_file: Annotated[Path | None, KEY_FILE_OPTION] = None,
    mnemonic_file: Annotated[Path | None, MNEMONIC_FILE_OPTION] = None,
    vault: Annotated[Path | None, VAULT_OPTION] = None,
) -> None:
    """Let agents ask over the Model Context Protocol.

    Serves one client until it disconnects. Agents see counts, days and plain names; they find and
    compare copies and plan recoveries. Nothing is written without
    --allow-recover, a plan and a person's yes. Needs the mcp extra.
    """
    from neotoma_core.settings.environment import key_source

    if context.invoked_subcommand is not None:
        if any((target, folder, allow_recover, allow_values, approve, http is not None, vault)):
            raise UsageError("options of the server go after `midden mcp install`")
        return
    _require_sdk()
    if token_file is not None and http is None:
        raise UsageError("--token-file goes with --http")
    scope = scope_of(
        protected_databases(target, vault),
        folder or [],
        allow_recover=allow_recover,
        allow_values=allow_values,
        approve=approve,
    )
    from dataclasses import replace

    _run(replace(scope, key=key_source(key_file, mnemonic_file)), http, token_file)


@mcp.command(cls=StrictCommand)
def install(
    client: Annotated[Client, typer.Argument(help="The program whose agents ask.")],
    *,
    target: Annotated[list[Path] | None, _TARGETS] = None,
    folder: Annotated[list[Path] | None, _FOLDERS] = None,
    allow_recover: Annotated[bool, _RECOVER] = False,
    allow_values: Annotated[bool, _VALUES] = False,
    approve: Annotated[bool, _APPROVE] = False,
    vault: Annotated[Path | None, VAULT_OPTION] = None,
    file: Annotated[
        Path | None,
        typer.Option(help="The settings file [default: the program's own].", show_default=False),
    ] = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="Write the entry (default: only print it).")
    ] = False,
) -> None:
    """Print the entry that makes a program start this server.

    The program does not see the variables of your shell: what MIDDEN_VAULT, MIDDEN_CONFIG and
    MIDDEN_PROFILE say is in the entry.

    With --apply it is written to the program's settings file; the rest of the file stays.
    """
    from neotoma_core.agents.wire.clients import install_entry, settings_file
    from neotoma_core.report.layout import escape_name
    from neotoma_core.settings.environment import chosen_vault, chosen_words

    vault = chosen_vault(vault)
    words = [shutil.which("midden") or sys.argv[0], *chosen_words(), "mcp"]
    for option, paths in (
        ("--target", [one.path for one in protected_databases(target, vault)]),
        ("--folder", _folders(folder or [])),
        ("--vault", [vault] if vault else []),
    ):
        words += [word for path in paths for word in (option, str(path.absolute()))]
    flags = {
        "--allow-recover": allow_recover,
        "--allow-values": allow_values,
        "--approve": approve,
    }
    words += [flag for flag, given in flags.items() if given]
    mac = sys.platform == "darwin"
    place = file or settings_file(client.value, Path.home(), Path.cwd(), mac=mac)
    done = install_entry(client.value, place, words, apply=apply)
    print(done.entry)
    said = f"add it to {done.file}, or use --apply" if done.outcome == "printed" else done.file
    print(f"{done.outcome:<10} {escape_name(said)}", file=sys.stderr)


def _require_sdk() -> None:
    if importlib.util.find_spec("mcp") is None:
        raise UsageError("the MCP SDK is not installed; install midden with its mcp extra")


def protected_databases(target: list[Path] | None, vault: Path | None) -> "tuple[Protected, ...]":
    """Return the databases that agents may ask about, by the command line or midden.toml.

    Raises UsageError where neither names one.
    """
    from neotoma_core.agents.scope import Protected
    from neotoma_core.settings.environment import (
        configured_databases,
        default_vault,
        note_vaults,
        raw_storage,
    )

    note_vaults()

    places = configured_databases(target or [])
    if not places:
        raise UsageError(
            "name the databases agents may ask about with --target, or in midden.toml: "
            "databases of [agents]"
        )
    if vault is not None and len(places) > 1:
        raise UsageError("--vault was given with several targets; a vault protects one database")
    return tuple(
        Protected(
            path.absolute(), (vault or default_vault(path)).absolute(), raw_storage(path.absolute())
        )
        for path in dict.fromkeys(places)
    )


def _folders(named: list[Path]) -> list[Path]:
    """Return the folders named, else those of midden.toml; raises UsageError for a missing one."""
    from neotoma_core.settings.environment import configuration

    said = "--folder" if named else "midden.toml: agents.folders"
    folders = named or [*configuration().agents.folders]
    for folder in folders:
        if not folder.is_dir():
            raise UsageError(f"{said} {folder}: there is no such folder; check the spelling")
    return folders


def scope_of(
    targets: "tuple[Protected, ...]",
    folders: list[Path],
    *,
    allow_recover: bool,
    allow_values: bool,
    approve: bool,
) -> "Scope":
    """Return what agents may touch; raises UsageError for a folder that does not exist."""
    from datetime import UTC, datetime

    from neotoma_core.agents.scope import Scope
    from neotoma_core.settings.environment import neotoma_environment

    return Scope(
        targets=targets,
        clock=lambda: datetime.now(UTC),
        folders=tuple(folder.absolute() for folder in _folders(folders)),
        recover=allow_recover,
        values=allow_values,
        approve=approve,
        environment=neotoma_environment(),
    )


def _run(scope: "Scope", port: int | None, token_file: Path | None) -> None:
    from importlib.metadata import version

    with _loading():
        from neotoma_core.agents.wire.server import build_server
    server = build_server(scope, version("midden"))
    if port is None:
        server.run("stdio")
        return
    from neotoma_core.agents.wire.http import serve_http, token_in
    from neotoma_core.settings.environment import default_token_file

    file = token_file or default_token_file()
    token = token_in(file)

    def ready(address: str) -> None:
        print(f"serving    {address}", file=sys.stderr, flush=True)
        print(f"token      in {file}", file=sys.stderr, flush=True)

    serve_http(server, port, token, ready)


@contextmanager
def _loading() -> Iterator[None]:
    """Load what stays until the end, without looking for garbage in it again and again."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
