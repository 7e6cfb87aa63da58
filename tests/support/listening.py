"""A receiver of alarms and heartbeats, on a port of this machine."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from neotoma_core.neotoma.encryption import Secret
from neotoma_core.vault.announcing import Alerting


class Listener(http.server.BaseHTTPRequestHandler):
    """Keeps the requests and the alarms that it receives."""

    heard: list[str]

    def do_GET(self) -> None:
        self.heard.append(self.path)
        self.send_response(200)
        self.end_headers()

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.heard.append(f"{self.path} {content}")
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def listening(heard: list[str], metrics: Path) -> Iterator[Alerting]:
    """Keep what is heard for the time of the block; the metrics go to a file."""
    handler = type("Told", (Listener,), {"heard": heard})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        place = f"127.0.0.1:{server.server_address[1]}"
        yield Alerting((Secret(f"json://{place}/note"),), Secret(f"http://{place}/beat"), metrics)
        server.shutdown()
        thread.join()
