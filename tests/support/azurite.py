"""Azure for tests: Microsoft's own emulator, from npm."""

import base64
import hashlib
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path
from typing import Final
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from tests.support.servers import Answers, free_ports, from_npm, running

ACCOUNT: Final = "tests"
KEY: Final = base64.b64encode(b"plain-secret-of-the-azure-account").decode()
CONTAINER: Final = "container"
_VERSION: Final = "2021-08-06"
_MADE: Final = 201


@dataclass(frozen=True, slots=True)
class AzureServer:
    """Where it is."""

    endpoint: str


@contextmanager
def azurite(folder: Path) -> Iterator[AzureServer]:
    """Run Azurite until the block ends, with a container in it."""
    (port,) = free_ports(1)
    words = (
        *("env", f"AZURITE_ACCOUNTS={ACCOUNT}:{KEY}"),
        *(from_npm("azurite-blob"), "--location", folder, "--silent", "--disableTelemetry"),
        *("--blobHost", "127.0.0.1", "--blobPort", str(port), "--skipApiVersionCheck"),
    )
    server = AzureServer(f"http://127.0.0.1:{port}/{ACCOUNT}")
    with running(words, folder, Answers(port, lambda: _makes(server))):
        yield server


def _makes(server: AzureServer) -> bool:
    """Make the container, with a request signed as Azure documents it."""
    headers = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": _VERSION}
    resource = f"/{ACCOUNT}/{ACCOUNT}/{CONTAINER}\nrestype:container"
    named = "".join(f"{name}:{value}\n" for name, value in sorted(headers.items()))
    signed = "PUT\n" + "\n" * 11 + named + resource
    digest = hmac.digest(base64.b64decode(KEY), signed.encode(), hashlib.sha256)
    signature = base64.b64encode(digest).decode()
    headers |= {"Authorization": f"SharedKey {ACCOUNT}:{signature}", "Content-Length": "0"}
    url = f"{server.endpoint}/{CONTAINER}?restype=container"
    try:
        with urlopen(Request(url, method="PUT", headers=headers)) as answer:  # noqa: S310 - http
            return bool(answer.status == _MADE)
    except HTTPError as error:
        error.close()
        raise
