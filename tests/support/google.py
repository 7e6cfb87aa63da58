"""A stand-in for Google's store: what its XML interface documents, and this client asks of it.

There is no emulator that speaks it. So this proves our side alone: what Google itself answers is
not known here.
"""

import hashlib
import json
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from secrets import token_hex
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

BUCKET: Final = "bucket"
_PAGE: Final = 100
_WHEN: Final = "2026-03-12T09:00:00.000Z"


@dataclass(slots=True)
class GoogleServer:
    """What it holds, by name. ``account``: a file of credentials that leads to it."""

    account: Path
    port: int = 0
    objects: dict[str, bytes] = field(default_factory=dict)
    parts: dict[str, dict[int, bytes]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def endpoint(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"


class _Asked(BaseHTTPRequestHandler):
    """One connection. Only what is needed."""

    protocol_version = "HTTP/1.1"
    held: GoogleServer

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _parts(self) -> tuple[str, str, dict[str, str]]:
        url = urlsplit(self.path)
        bucket, _, name = unquote(url.path.lstrip("/")).partition("/")
        asked = parse_qs(url.query, keep_blank_values=True)
        return bucket, name, {key: values[0] for key, values in asked.items()}

    def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key.replace("_", "-"), value)
        if "Content_Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _refuse(self, status: int, code: str) -> None:
        self._answer(status, f"<Error><Code>{code}</Code></Error>".encode())

    def _body(self) -> bytes:
        size = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(size)
        if len(body) < size:
            raise ConnectionResetError
        return body

    def _knows(self, bucket: str) -> bool:
        if bucket != BUCKET:
            self._refuse(HTTPStatus.NOT_FOUND, "NoSuchBucket")
        return bucket == BUCKET

    def do_PUT(self) -> None:
        """Create, copy, or take a part."""
        bucket, name, asked = self._parts()
        body = self._body()
        if not self._knows(bucket):
            return
        if "uploadId" in asked:
            self.held.parts[asked["uploadId"]][int(asked["partNumber"])] = body
            self._answer(HTTPStatus.OK, ETag=_etag(body))
            return
        source = self.headers.get("x-goog-copy-source")
        if source is not None:
            body = self.held.objects[unquote(source).removeprefix(f"{BUCKET}/").lstrip("/")]
        with self.held.lock:
            only_new = self.headers.get("x-goog-if-generation-match") == "0"
            if only_new and name in self.held.objects:
                self._refuse(HTTPStatus.PRECONDITION_FAILED, "PreconditionFailed")
                return
            self.held.objects[name] = body
        self._answer(HTTPStatus.OK, ETag=_etag(body))

    def do_POST(self) -> None:
        """Begin or complete an upload in parts."""
        bucket, name, asked = self._parts()
        self._body()
        if not self._knows(bucket):
            return
        if "uploads" in asked:
            upload = token_hex(8)
            self.held.parts[upload] = {}
            said = f"<UploadId>{upload}</UploadId>"
            text = f"<InitiateMultipartUploadResult>{said}</InitiateMultipartUploadResult>"
        else:
            parts = self.held.parts.pop(asked["uploadId"])
            whole = b"".join(parts[number] for number in sorted(parts))
            with self.held.lock:
                self.held.objects[name] = whole
            etag = escape(_etag(whole))
            said = f"<ETag>{etag}</ETag>"
            text = f"<CompleteMultipartUploadResult>{said}</CompleteMultipartUploadResult>"
        self._answer(HTTPStatus.OK, text.encode())

    def do_GET(self) -> None:
        """Read, or list."""
        bucket, name, asked = self._parts()
        if not self._knows(bucket):
            return
        if not name:
            self._answer(HTTPStatus.OK, self._list(asked))
            return
        content = self.held.objects.get(name)
        if content is None:
            self._refuse(HTTPStatus.NOT_FOUND, "NoSuchKey")
            return
        facts = {"ETag": _etag(content), "Last_Modified": formatdate(1_773_306_000, usegmt=True)}
        wanted = self.headers.get("Range")
        if wanted is None:
            size = str(len(content))
            self._answer(HTTPStatus.OK, content, Content_Length=size, **facts)
            return
        first, _, last = wanted.removeprefix("bytes=").partition("-")
        start, end = int(first), min(int(last or len(content)) + 1, len(content))
        if start >= len(content):
            self._refuse(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, "InvalidRange")
            return
        span = f"bytes {start}-{end - 1}/{len(content)}"
        self._answer(HTTPStatus.PARTIAL_CONTENT, content[start:end], Content_Range=span, **facts)

    do_HEAD = do_GET  # noqa: N815 - as the library has it

    def _list(self, asked: dict[str, str]) -> bytes:
        after = max(asked.get("start-after", ""), asked.get("continuation-token", ""))
        with self.held.lock:
            held = dict(self.held.objects)
        names = sorted(n for n in held if n.startswith(asked.get("prefix", "")) and n > after)
        page = names[:_PAGE]
        more = f"<NextContinuationToken>{escape(''.join(page[-1:]))}</NextContinuationToken>"
        rows = "".join(
            f"<Contents><Key>{escape(name)}</Key><LastModified>{_WHEN}</LastModified>"
            f"<ETag>{escape(_etag(held[name]))}</ETag><Size>{len(held[name])}</Size></Contents>"
            for name in page
        )
        text = f"<ListBucketResult>{rows}{more if len(names) > _PAGE else ''}</ListBucketResult>"
        assert ET.fromstring(text).tag == "ListBucketResult"  # noqa: S314 - our own
        return text.encode()

    def do_DELETE(self) -> None:
        """Remove."""
        bucket, name, asked = self._parts()
        if not self._knows(bucket):
            return
        with self.held.lock:
            there = self.held.objects.pop(name, None) is not None or "uploadId" in asked
        if there:
            self._answer(HTTPStatus.NO_CONTENT)
        else:
            self._refuse(HTTPStatus.NOT_FOUND, "NoSuchKey")


def _etag(content: bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()}"'


class _Server(ThreadingHTTPServer):
    """It, which says nothing where a client goes away."""

    def handle_error(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def google(folder: Path) -> Iterator[GoogleServer]:
    """Run it until the block ends."""
    held = GoogleServer(folder / "account.json")
    handler = type("Asked", (_Asked,), {"held": held})
    with _Server(("127.0.0.1", 0), handler) as server:
        held.port = server.server_address[1]
        account = {
            "gcs_base_url": held.endpoint,
            "disable_oauth": True,
            "client_email": "",
            "private_key": "",
            "private_key_id": "",
        }
        held.account.write_text(json.dumps(account))  # noqa: TID251 - of tests
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield held
        finally:
            server.shutdown()
            thread.join()
