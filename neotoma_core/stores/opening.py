"""Opening a store by its address, and proving that it creates only what is not there."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from importlib import import_module
from secrets import token_bytes, token_hex
from typing import Final, cast

from neotoma_core.errors import RemoteError
from neotoma_core.stores.names import Address, parse_address
from neotoma_core.stores.store import Store, StoreOptions

PLAIN: Final = StoreOptions()

IMPLEMENTATIONS: Final[Mapping[str, tuple[str, str]]] = {
    "file": ("local", "open_folder"),
    "s3": ("clouds", "open_s3"),
    "gs": ("clouds", "open_google"),
    "az": ("clouds", "open_azure"),
    "sftp": ("ssh.store", "open_sftp"),
    "memory": ("memory", "open_memory"),
}
"""Kinds of address, and what opens them: a module here, and a function of it."""

_PROBES: Final = "probe"


def open_store(url: str, options: StoreOptions = PLAIN) -> Store:
    """Open the store of an address. Nothing is asked of a store of the cloud yet.

    Raises UsageError, RemoteError.
    """
    address = parse_address(url, tuple(IMPLEMENTATIONS))
    module, function = IMPLEMENTATIONS[address.scheme]
    opened = getattr(import_module(f"neotoma_core.stores.{module}"), function)
    return cast("Callable[[Address, StoreOptions], Store]", opened)(address, options)


@contextmanager
def hold_store(url: str, options: StoreOptions = PLAIN) -> Iterator[Store]:
    """Open the store of an address, until the block ends."""
    store = open_store(url, options)
    try:
        yield store
    finally:
        store.close()


def probe(store: Store) -> None:
    """Prove that a store creates an object once, whichever way, and gives back what it took.

    Leaves nothing where it may delete. Raises RemoteError with the reason where it does not.
    """
    for way in store.ways:
        name = f"{_PROBES}/{token_hex(16)}"
        try:
            _prove(store, way, name)
        finally:
            with suppress(RemoteError):  # no right to, or what failed already
                store.delete(name)


def time_of(store: Store) -> datetime:
    """Return the time by the clock of a store, which says when its objects were made.

    Leaves nothing where it may delete. Raises RemoteError.
    """
    name = f"{_PROBES}/{token_hex(16)}"
    try:
        store.create(name, token_bytes(64))
        return next(one.modified for one in store.list(_PROBES) if one.name == name)
    finally:
        with suppress(RemoteError):
            store.delete(name)


def _prove(store: Store, way: Callable[[str, bytes], bool], name: str) -> None:
    first, second = token_bytes(64), token_bytes(64)
    if not way(name, first):
        raise unsuitable(store, "it says that a new name is taken")
    again = way(name, second)
    there = store.read(name)
    if there == second:
        raise unsuitable(store, "it overwrites an object that should only be created")
    if again:
        raise unsuitable(store, "it accepts two objects of one name as new")
    if there != first:
        raise unsuitable(store, "it does not return the bytes that it was given")


def unsuitable(store: Store, wrong: str) -> RemoteError:
    """Return the error of a store that cannot be one."""
    return RemoteError(
        store.url,
        f"{wrong}: two writers would lose each other's objects",
        "choose a store that obeys If-None-Match",
    )
