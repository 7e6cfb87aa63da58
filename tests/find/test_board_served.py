"""The page of all databases on loopback: that page, for this machine, and nothing else."""

import http.client
import socket
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from neotoma_core.errors import UsageError
from neotoma_core.find.board.keeping import KeptBoard
from neotoma_core.find.board.serving import HOST, ServedPage, serve_page
from tests.conftest import NOW
from tests.support.databases import make_database


@pytest.fixture(scope="module")
def serving() -> Iterator[tuple[ServedPage, int]]:
    page = ServedPage()
    with serve_page(page, 0) as address:
        yield page, int(address.rpartition(":")[2].strip("/"))


@pytest.fixture
def port(serving: tuple[ServedPage, int]) -> int:
    serving[0].content = b"<p>the page"
    return serving[1]


def ask(
    port: int, path: str = "/", method: str = "GET", host: str | None = None
) -> tuple[int, str]:
    with closing(http.client.HTTPConnection(HOST, port, timeout=10)) as connection:
        connection.putrequest(method, path, skip_host=True)
        if host != "":
            connection.putheader("Host", host or f"{HOST}:{port}")
        connection.endheaders()
        answer = connection.getresponse()
        if answer.status == 200:
            policy = answer.getheader("Content-Security-Policy", "")
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
            assert answer.getheader("Cache-Control") == "no-store"
        return answer.status, answer.read().decode()


def test_the_page_is_served_by_its_address_and_by_localhost(port: int) -> None:
    assert ask(port) == (200, "<p>the page")
    assert ask(port, host=f"LOCALHOST:{port}") == (200, "<p>the page")
    assert ask(port, method="HEAD") == (200, "")


@pytest.mark.parametrize(
    "host", ["evil.example", "", "127.0.0.1", "localhost:1", "127.0.0.1:99999"]
)
def test_a_request_under_another_name_gets_nothing(port: int, host: str) -> None:
    status, said = ask(port, host=host)
    assert (status, "the page" in said and "<p>" in said) == (403, False)


@pytest.mark.parametrize("path", ["/report.html", "/../etc/passwd", "/%2e%2e/", "http://x/"])
def test_there_is_only_one_page(port: int, path: str) -> None:
    assert ask(port, path)[0] == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_it_can_only_be_read(port: int, method: str) -> None:
    assert ask(port, method=method)[0] == 501


def test_it_listens_on_loopback_only_and_a_port_in_use_is_said(port: int) -> None:
    outward = {found[4][0] for found in socket.getaddrinfo(socket.gethostname(), None)}
    for address in outward - {HOST, "::1"}:
        with socket.socket() as probe:
            assert probe.connect_ex((str(address), port)) != 0 or str(address).startswith("127.")
    with pytest.raises(UsageError, match=f"--page {port}:"), serve_page(ServedPage(), port):
        pass


def test_before_the_first_look_it_says_to_wait(serving: tuple[ServedPage, int]) -> None:
    page, port = serving
    page.content = None
    assert ask(port)[0] == 503


def test_a_page_is_kept_current_and_a_failure_leaves_the_one_before(tmp_path: Path) -> None:
    moments = iter([NOW, datetime(2026, 3, 13, tzinfo=UTC)])
    target = make_database(tmp_path / "data" / "neotoma.db")
    file = tmp_path / "board.html"
    board = KeptBoard([target], tmp_path / "vault", [file], lambda: next(moments))
    board.refresh()
    first = file.read_bytes()
    assert board.served.content == first
    assert b"2026-03-12 09:00 UTC" in first
    board.refresh()
    assert b"2026-03-13" in file.read_bytes()
    kept = file.read_bytes()
    board.refresh()  # the clock has nothing more to say
    assert (file.read_bytes(), board.served.content) == (kept, kept)
