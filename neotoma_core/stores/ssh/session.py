"""One connection to another machine, for all threads: it is made again where it broke.

What is asked runs in a thread of its own, many requests at once. Keys come from the ssh agent and
``~/.ssh``, as for ``ssh``; the host's key has to be known, and passwords are not used.
"""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Final, TypeVar

from neotoma_core.errors import RemoteDenied, RemoteError, RemoteUnreachable
from neotoma_core.stores.failures import Foreign, library
from neotoma_core.stores.names import Address
from neotoma_core.words.shell_words import quote_words

T = TypeVar("T")

Action = Callable[[Foreign], Awaitable[T]]
"""What is asked of an SFTP client."""

_CONNECTS_WITHIN: Final = 10.0
_LOGS_IN_WITHIN: Final = 30.0
_ALIVE_EVERY: Final = 15.0
_SILENT: Final = 4
_BROKE: Final = "the connection broke"
_KEYS: Final = "add the key to the ssh agent, or name it in ~/.ssh/config"


class SftpSession:
    """See the module."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._ssh = library("asyncssh")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="midden-sftp")
        self._thread.daemon = True
        self._thread.start()
        self._connecting = asyncio.Lock()
        self._connection: Foreign = None
        self._client: Foreign = None

    def ask(self, action: Action[T], on: Foreign = None) -> T:
        """Return what an action returns. Raises RemoteError, and errors of the far file system.

        ``on``: the client it began with, which another one may have taken the place of.
        """
        future: Future[T] = asyncio.run_coroutine_threadsafe(self._ask(action, on), self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    async def _ask(self, action: Action[T], on: Foreign) -> T:
        client = await self._connect_once()
        if on not in (None, client):
            raise RemoteUnreachable(self._address.shown, _BROKE)
        try:
            return await action(client)
        except (
            self._ssh.DisconnectError,
            self._ssh.SFTPConnectionLost,
            self._ssh.SFTPNoConnection,
            self._ssh.ChannelOpenError,
            OSError,
        ) as error:
            self._drop(client)
            raise RemoteUnreachable(self._address.shown, _BROKE) from error

    async def _connect_once(self) -> Foreign:
        async with self._connecting:
            if self._client is None:
                self._connection = await self._connect()
                self._client = await self._begin()
            return self._client

    async def _connect(self) -> Foreign:
        ssh, address, url = self._ssh, self._address, self._address.shown
        try:
            options = ssh.SSHClientConnectionOptions(
                config=(),  # ~/.ssh/config
                host=address.place,
                port=address.port or (),
                username=address.user or (),
                preferred_auth="publickey",
                connect_timeout=_CONNECTS_WITHIN,
                login_timeout=_LOGS_IN_WITHIN,
                keepalive_interval=_ALIVE_EVERY,
                keepalive_count_max=_SILENT,
            )
            # "UserKnownHostsFile none" would trust every host.
            known = {"known_hosts": b""} if options.known_hosts is None else {}
            return await ssh.connect(address.place.strip("[]"), options=options, **known)
        except ssh.HostKeyNotVerifiable as error:
            raise self._unknown_host() from error
        except ssh.PermissionDenied as error:
            raise RemoteDenied(url, "it accepts none of your keys", _KEYS) from error
        except (ssh.KeyImportError, ssh.KeyEncryptionError, ssh.ConfigParseError) as error:
            wrong = f"a key or the configuration in ~/.ssh cannot be read ({type(error).__name__})"
            raise RemoteDenied(url, wrong, _KEYS) from error
        except FileNotFoundError as error:
            wrong = "a file that ~/.ssh/config names is not there"
            raise RemoteError(url, wrong, "make it, or correct the configuration") from error
        except socket.gaierror as error:
            raise RemoteUnreachable(url, "its name cannot be found") from error
        except (ssh.KeyExchangeFailed, ssh.ProtocolNotSupported, ssh.IllegalUserName) as error:
            wrong = f"no common protocol was agreed on ({type(error).__name__})"
            raise RemoteError(url, wrong, "check the address and its sshd") from error
        except (ssh.DisconnectError, OSError, EOFError) as error:
            raise RemoteUnreachable(url, f"it does not answer, or {_BROKE}") from error

    async def _begin(self) -> Foreign:
        try:
            return await self._connection.start_sftp_client()
        except (self._ssh.ChannelOpenError, self._ssh.SFTPError) as error:
            self._drop(None)
            wrong = "it offers no SFTP"
            raise RemoteError(self._address.shown, wrong, "turn it on in its sshd") from error
        except (self._ssh.DisconnectError, OSError) as error:
            self._drop(None)
            raise RemoteUnreachable(self._address.shown, _BROKE) from error

    def _unknown_host(self) -> RemoteError:
        to = f"{self._address.user}@" if self._address.user else ""
        port = ("-p", str(self._address.port)) if self._address.port else ()
        command = quote_words("ssh", *port, f"{to}{self._address.place.strip('[]')}")
        return RemoteError(
            self._address.shown,
            "its host key is not in ~/.ssh/known_hosts, or differs from it",
            f"connect once and compare the fingerprint with the machine's own: {command}",
        )

    def _drop(self, client: Foreign) -> None:
        """Forget a connection, unless another one has taken its place."""
        if self._connection is not None and client is self._client:
            self._connection.abort()
            self._connection = self._client = None

    async def _end(self) -> None:
        if self._client is not None:
            self._client.exit()
        if self._connection is not None:
            self._connection.close()
            with suppress(TimeoutError, OSError, self._ssh.Error):
                await asyncio.wait_for(self._connection.wait_closed(), _CONNECTS_WITHIN)

    def close(self) -> None:
        """End the connection, and the thread."""
        if self._loop.is_closed():
            return
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
