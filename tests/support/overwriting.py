"""An S3 server that ignores If-None-Match, from npm: what has to be refused."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.support.seaweed import BUCKET, S3Server
from tests.support.servers import Answers, free_ports, from_npm, running

KEYS: Final = ("S3RVER", "S3RVER")


@contextmanager
def s3rver(folder: Path) -> Iterator[S3Server]:
    """Run s3rver until the block ends, with a bucket in it."""
    (port,) = free_ports(1)
    words = (
        *(from_npm("s3rver"), "--directory", folder, "--address", "127.0.0.1"),
        *("--port", str(port), "--silent", "--configure-bucket", BUCKET),
    )
    with running(words, folder, Answers(port)):
        yield S3Server(f"http://127.0.0.1:{port}")
