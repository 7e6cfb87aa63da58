"""The page of all databases on loopback: that page only, for this machine only.

A request must name this machine in its Host header, so that no page of somebody else's can have a
browser read it under another name.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from neotoma_core.errors import UsageError, reason_of
from neotoma_core.pages.document import POLICY

HOST: Final = "127.0.0.1"
_PATIENCE_SECONDS: Final = 10.0
_HEADERS: Final = {
    "Content-Security-Policy": f"{POLICY}; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_FINE: Final = 200
_REFUSED: Final = {
    403: b"ask for this page by the address that midden printed\n",
    404: b"there is only one page here: /\n",
    503: b"the page is not there yet; try again in a moment\n",
}


class ServedPage:
    """What is served; replaced as a whole whenever it changes."""

    def __init__(self) -> None:
        self.content: bytes | None = None


@contextmanager
def serve_page(page: ServedPage, port: int) -> Iterator[str]:
    """Serve a page until the block ends; yield its address. ``port``: 0 for any that is free.

    Raises UsageError where the port is in use.
    """
    try:
        server = _Server((HOST, port), type("Handler", (_Handler,), {"page": page}))
    except (OSError, OverflowError) as error:
        why = reason_of(error) if isinstance(error, OSError) else "not a port"
        raise UsageError(f"--page {port}: {why}; choose another port") from error
    thread = threading.Thread(target=server.serve_forever, name="midden page", daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    """Answers one request of one connection."""

    page: ServedPage
    timeout = _PATIENCE_SECONDS
    server_version = "midden"
    sys_version = ""

    def do_GET(self) -> None:
        """Answer with the page, or why not."""
        self.wfile.write(self._head())

    def do_HEAD(self) -> None:
        """Answer without the page."""
        self._head()

    def log_message(self, *_: object) -> None:
        """Say nothing: what somebody asks for is not ours to write down."""

    def _head(self) -> bytes:
        """Send the head of the answer; return its content."""
        status = self._status()
        content = (self.page.content or b"") if status == _FINE else _REFUSED[status]
        self.send_response(status)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        kind = "text/html" if status == _FINE else "text/plain"
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        return content

    def _status(self) -> int:
        port = self.connection.getsockname()[1]
        hosts = [host.lower() for host in self.headers.get_all("Host", [])]
        if hosts not in ([f"{HOST}:{port}"], [f"localhost:{port}"]):
            return 403
        if self.path.partition("?")[0] != "/":
            return 404
        return 503 if self.page.content is None else _FINE


class _Server(ThreadingHTTPServer):
    """A server whose callers may hang up whenever they like."""

    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing: a connection that broke off is nobody's concern."""
