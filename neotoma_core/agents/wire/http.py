"""The server over HTTP: on this machine only, for whoever has the token, for no other page."""

import hmac
import re
import secrets
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any, Final

import anyio
import uvicorn
from mcp.server.mcpserver import MCPServer
from mcp.server.transport_security import TransportSecuritySettings

from neotoma_core.errors import UsageError, reason_of
from neotoma_core.files.atomic import write_file
from neotoma_core.files.private import make_folders
from neotoma_core.files.small import read_small

HOST: Final = "127.0.0.1"
PATH: Final = "/mcp"
_TOKEN_BYTES: Final = 32
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{32,200}")
_MOST_BYTES: Final = 1 << 20  # of a request

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


def token_in(file: Path) -> str:
    """Return the token in a file, which is made, its owner's alone, where there is none.

    Raises UsageError where it cannot be read, or holds something else.
    """
    try:
        if not file.exists():
            make_folders(file.absolute().parent)
            write_file(file, f"{secrets.token_urlsafe(_TOKEN_BYTES)}\n".encode())
        text = read_small(file).decode("utf-8", "replace").strip()
    except OSError as error:
        raise UsageError(f"--token-file {file}: {reason_of(error)}; choose another") from error
    if not _TOKEN.fullmatch(text):
        raise UsageError(
            f"--token-file {file}: not a token of 32 letters and digits or more; "
            "remove the file, and midden makes one"
        )
    return text


def serve_http(server: MCPServer[Any], port: int, token: str, ready: Callable[[str], None]) -> None:
    """Serve on loopback until interrupted; ``ready`` is called with the address.

    ``port``: 0 for any that is free. Raises UsageError where it is in use.
    """
    listening = listen_on(port)
    number = listening.getsockname()[1]
    hosts = [f"{HOST}:{number}", f"localhost:{number}"]
    application = server.streamable_http_app(
        streamable_http_path=PATH,
        host=HOST,
        max_request_body_size=_MOST_BYTES,
        transport_security=TransportSecuritySettings(
            allowed_hosts=hosts, allowed_origins=[f"http://{host}" for host in hosts]
        ),
    )
    settings = uvicorn.Config(
        with_token(application, token),
        log_level="critical",
        access_log=False,
        ws="none",
        timeout_graceful_shutdown=5,
    )
    ready(f"http://{HOST}:{number}{PATH}")
    anyio.run(uvicorn.Server(settings).serve, [listening])


def with_token(application: Application, token: str) -> Application:
    """Return an application that answers only requests that have the token."""
    wanted = f"Bearer {token}".encode()

    async def guard(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            given = [value for name, value in scope["headers"] if name == b"authorization"]
            if len(given) != 1 or not hmac.compare_digest(given[0], wanted):
                headers = [(b"www-authenticate", b"Bearer"), (b"content-length", b"0")]
                await send({"type": "http.response.start", "status": 401, "headers": headers})
                await send({"type": "http.response.body", "body": b""})
                return
        await application(scope, receive, send)

    return guard


def listen_on(port: int) -> socket.socket:
    """Return a socket of loopback that listens; raises UsageError where the port is in use."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((HOST, port))
        listening.listen()  # who connects before the server runs waits, and is not turned away
    except OSError as error:
        listening.close()
        raise UsageError(f"--http {port}: {reason_of(error)}; choose another port") from error
    return listening
