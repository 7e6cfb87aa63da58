"""A real S3 server for tests: SeaweedFS, with several users and kinds of bucket."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import botocore.config
import botocore.exceptions
import botocore.session

from tests.support.servers import Answers, free_ports, program, running

OWNER: Final = ("owner", "plain-secret-of-the-owner")
READER: Final = ("reader", "plain-secret-of-the-reader")
WRITER: Final = ("writer", "plain-secret-of-the-writer")
STRANGER: Final = ("stranger", "plain-secret-of-the-stranger")
REGION: Final = "us-east-1"
BUCKET: Final = "bucket"
"""One is enough for most tests: each costs the server several files of its own."""


@dataclass(frozen=True, slots=True)
class S3Server:
    """Where it is."""

    endpoint: str

    @contextmanager
    def owner(self) -> Iterator[Any]:
        """Give a client of the vendor's own library, until the block ends."""
        with s3_client(self.endpoint, OWNER) as client:
            yield client


@contextmanager
def s3_client(endpoint: str, user: tuple[str, str]) -> Iterator[Any]:
    """Give a client of the vendor's own library for any S3 server, until the block ends."""
    client = botocore.session.Session().create_client(
        "s3",
        region_name=REGION,
        endpoint_url=endpoint,
        aws_access_key_id=user[0],
        aws_secret_access_key=user[1],
        config=botocore.config.Config(
            s3={"addressing_style": "path"},
            retries={"total_max_attempts": 1},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )
    try:
        yield client
    finally:
        client.close()


def _identity(user: tuple[str, str], *actions: str) -> Mapping[str, object]:
    name, secret = user
    return {
        "name": name,
        "credentials": [{"accessKey": name, "secretKey": secret}],
        "actions": list(actions),
    }


@contextmanager
def seaweed(folder: Path) -> Iterator[S3Server]:
    """Run SeaweedFS until the block ends."""
    identities = [
        _identity(OWNER, "Admin", "Read", "Write", "List", "Tagging"),
        _identity(READER, "Read", "List"),
        _identity(WRITER, "Read", "Write", "List"),
        _identity(STRANGER),
    ]
    config = folder / "identities.json"
    config.write_text(json.dumps({"identities": identities}))  # noqa: TID251 - of tests
    data = folder / "data"
    data.mkdir()
    ports = free_ports(8)
    names = ("master", "volume", "filer", "s3")
    listening = [
        word
        for name, port, rpc in zip(names, ports[:4], ports[4:], strict=True)
        for word in (f"-{name}.port={port}", f"-{name}.port.grpc={rpc}")
    ]
    words: tuple[str | Path, ...] = (
        program("weed"),
        "server",
        f"-dir={data}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-master.telemetry=false",
        "-volume.preStopSeconds=0",
        "-master.volumeSizeLimitMB=64",
        "-volume.max=200",
        f"-filer.localSocket={folder / 'filer.sock'}",
        "-filer",
        "-s3",
        f"-s3.config={config}",
        "-s3.autoCreateBucket=false",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        *listening,
    )
    server = S3Server(f"http://127.0.0.1:{ports[3]}")
    with running(words, folder, Answers(ports[3], lambda: _lists(server))):
        yield server


def _lists(server: S3Server) -> bool:
    try:
        with server.owner() as client:
            client.list_buckets()
            client.create_bucket(Bucket=BUCKET)
            client.put_object(Bucket=BUCKET, Key="ready", Body=b"ready")
    except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError):
        return False
    return True
