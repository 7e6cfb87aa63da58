"""Places for stores in tests, one for each kind of address."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from secrets import token_hex
from threading import Barrier
from typing import Final
from urllib.parse import quote

import pytest

from neotoma_core.stores.opening import open_store
from neotoma_core.stores.store import Content, Store, StoreOptions
from tests.support.azurite import ACCOUNT, CONTAINER, KEY, AzureServer
from tests.support.google import BUCKET as GOOGLE_BUCKET
from tests.support.google import GoogleServer
from tests.support.seaweed import BUCKET, OWNER, REGION, S3Server
from tests.support.sshd import SshServer

PREFIX: Final = "a prefix/ü"
"""What every place in a bucket begins with: odd, but allowed."""

WRITERS: Final = 8


@dataclass(frozen=True, slots=True)
class Place:
    """Where a store is, and what its address does not say."""

    url: str
    options: StoreOptions = field(default_factory=StoreOptions)

    @contextmanager
    def open(self) -> Iterator[Store]:
        """Open the store until the block ends."""
        store = open_store(self.url, self.options)
        try:
            yield store
        finally:
            store.close()

    def with_options(self, **changed: str | int | None) -> "Place":
        """Return the same place with other options."""
        return Place(self.url, replace(self.options, **changed))  # type: ignore[arg-type]


def in_folder(request: pytest.FixtureRequest) -> Place:
    folder = request.getfixturevalue("tmp_path") / "a disk" / "ü"
    folder.mkdir(parents=True)
    return Place(folder.as_uri())


def in_memory(_: pytest.FixtureRequest) -> Place:
    return Place(f"memory://{token_hex(8)}/{PREFIX}")


def on_s3(request: pytest.FixtureRequest) -> Place:
    server: S3Server = request.getfixturevalue("s3")
    return in_bucket(server, BUCKET)


def new_bucket(server: S3Server, **more: object) -> str:
    """Make a bucket and return its name."""
    name = f"bucket-{token_hex(6)}"
    with server.owner() as client:
        client.create_bucket(Bucket=name, **more)
    return name


def in_bucket(server: S3Server, bucket: str) -> Place:
    return Place(f"s3://{bucket}/{PREFIX}/{token_hex(8)}", StoreOptions(server.endpoint, REGION))


def on_azure(request: pytest.FixtureRequest) -> Place:
    server: AzureServer = request.getfixturevalue("azure")
    return Place(f"az://{CONTAINER}/{PREFIX}/{token_hex(8)}", StoreOptions(server.endpoint))


def on_google(request: pytest.FixtureRequest) -> Place:
    server: GoogleServer = request.getfixturevalue("gs")
    url = f"gs://{GOOGLE_BUCKET}/{PREFIX}/{token_hex(8)}"
    return Place(url, StoreOptions(server.endpoint))


def on_a_second_machine(request: pytest.FixtureRequest) -> Place:
    server: SshServer = request.getfixturevalue("ssh")
    folder = server.folder / "a disk" / token_hex(8) / "ü"
    folder.mkdir(parents=True)
    return Place(server.url(quote(str(folder))))


KINDS: Final[Mapping[str, Callable[[pytest.FixtureRequest], Place]]] = {
    "file": in_folder,
    "memory": in_memory,
    "s3": on_s3,
    "az": on_azure,
    "gs": on_google,
    "sftp": on_a_second_machine,
}
"""A new and empty place for each kind of address."""


def use_keys(environment: pytest.MonkeyPatch, user: tuple[str, str] = OWNER) -> None:
    """Be a user of the S3 servers of tests."""
    environment.setenv("AWS_ACCESS_KEY_ID", user[0])
    environment.setenv("AWS_SECRET_ACCESS_KEY", user[1])


_OF_WHOEVER_RUNS_THIS: Final = (
    *("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"),
    *("SSH_AUTH_SOCK", "AZURE_STORAGE_SAS_TOKEN"),
    *("GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_SERVICE_ACCOUNT_KEY"),
)


def ask_no_metadata(environment: pytest.MonkeyPatch) -> None:
    """Let no library ask a cloud who this machine is, nor read settings of whoever runs this."""
    for name in _OF_WHOEVER_RUNS_THIS:
        environment.delenv(name, raising=False)
    for name, value in {
        "AWS_METADATA_ENDPOINT": "http://127.0.0.1:9",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AZURE_MSI_ENDPOINT": "http://127.0.0.1:9",
        "AZURE_STORAGE_ACCOUNT_NAME": ACCOUNT,
        "AZURE_STORAGE_ACCOUNT_KEY": KEY,
        "NO_PROXY": "127.0.0.1,localhost",
    }.items():
        environment.setenv(name, value)


def race(store: Store, name: str, contents: list[Content]) -> list[bool]:
    """Let one writer for each content create the same name at the same time."""
    start = Barrier(len(contents))

    def write(content: Content) -> bool:
        start.wait()
        return store.create(name, content)

    with ThreadPoolExecutor(len(contents)) as pool:
        return list(pool.map(write, contents))
