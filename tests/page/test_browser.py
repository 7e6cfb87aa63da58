"""Every page in a real browser: light and dark, narrow and wide, and read by everybody.

One window serves all of it, and ends with this file: while it is open, nothing else may use
asyncio.
"""

import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Page, PdfMargins, sync_playwright

from neotoma_core.archive.page import archive_page, archive_verification_page
from neotoma_core.backup.page.page import backup_page, verify_page
from neotoma_core.erasure.page.page import erasure_page
from neotoma_core.export.page import export_page
from neotoma_core.find.board.page import board_page
from neotoma_core.find.page import inventory_page
from neotoma_core.pages.document import page as plain_page
from neotoma_core.pages.elements import element
from neotoma_core.push.page import push_page
from neotoma_core.rebuild.page.page import rebuild_page
from neotoma_core.recovery.page.page import recovery_page
from tests.support import shown
from tests.support.servers import axe_source, program

PAGES: dict[str, Callable[[], bytes]] = {
    "recover": lambda: recovery_page(shown.RECOVERED),
    "refused": lambda: recovery_page(shown.REFUSED),
    "find": lambda: inventory_page(shown.INVENTORY),
    "status": lambda: board_page(shown.BOARD, shown.MOMENT),
    "rebuild": lambda: rebuild_page(shown.REBUILD, "midden rebuild"),
    "backup": lambda: backup_page(shown.BACKUP),
    "verify": lambda: verify_page(shown.VERIFIED, Path(shown.PLACE)),
    "erase": lambda: erasure_page(shown.ERASURE),
    "archive": lambda: archive_page(shown.ARCHIVED),
    "verify --archive": lambda: archive_verification_page(shown.ARCHIVE_VERIFIED),
    "export": lambda: export_page(shown.EXPORT),
    "push": lambda: push_page(shown.PUSH),
}
Scheme = Literal["light", "dark"]
WINDOWS: tuple[tuple[Scheme, int], ...] = (
    ("light", 1_100),
    ("light", 390),
    ("dark", 1_100),
    ("dark", 390),
)


@dataclass
class Window:
    """A window of the browser: what it asked for, and what it complained of."""

    page: Page
    asked: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def open(self, file: Path) -> None:
        self.asked.clear()
        self.said.clear()
        self.page.goto(file.as_uri())

    def look(self, scheme: Scheme, width: int) -> dict[str, Any]:
        self.page.emulate_media(color_scheme=scheme)
        self.page.set_viewport_size({"width": width, "height": 900})
        found: dict[str, Any] = self.page.evaluate(LOOK)
        return found


@pytest.fixture(scope="module")
def window() -> Iterator[Window]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program("chromium"), args=["--no-sandbox"]
        )
        opened = Window(browser.new_page())
        opened.page.on("request", lambda request: opened.asked.append(request.url))
        opened.page.on("console", lambda message: opened.said.append(message.text))
        opened.page.on("pageerror", lambda error: opened.said.append(str(error)))
        yield opened
        browser.close()


@pytest.fixture(scope="module")
def axe() -> str:
    return axe_source()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_read_by_everybody_and_asks_for_nothing(
    name: str, window: Window, axe: str, tmp_path: Path
) -> None:
    file = tmp_path / f"{name}.html"
    file.write_bytes(PAGES[name]())
    window.open(file)
    looked = {}
    for scheme, width in WINDOWS:
        looked[scheme, width] = look = window.look(scheme, width)
        assert look["width"] <= width, f"{scheme} {width}: wider than the window"
        assert look["elements"] == []
        assert look["smallest"] >= 11
    assert len({look["ground"] for look in looked.values()}) == 2  # light and dark differ
    assert serious(window.page, axe, CONTRAST) == []
    window.look("light", 1_100)
    assert serious(window.page, axe, {}) == []
    assert window.asked == [file.as_uri()]
    assert window.said == []
    text = window.page.evaluate("document.body.innerText")
    assert shown.NASTY.replace("\u202e", "\\u202e") in text
    assert "\u202e" not in text


@pytest.mark.parametrize("name", PAGES)
def test_on_paper_the_verdict_comes_first_and_nothing_is_cut(
    name: str, window: Window, tmp_path: Path
) -> None:
    file, paper = tmp_path / "page.html", tmp_path / "page.pdf"
    file.write_bytes(PAGES[name]())
    window.open(file)
    window.page.pdf(path=paper, format="A4", margin=MARGIN)
    first, *others = read_sheets(paper)
    verdict, text = window.page.evaluate(PLAIN_WORDS)
    assert len(verdict) > 2
    assert [word for word in verdict if word not in first] == []
    whole = "".join([first, *others])
    assert [word for word in text if word not in whole] == []
    assert beyond(paper) == []


def test_what_is_cut_on_paper_is_found(window: Window, tmp_path: Path) -> None:
    file, paper = tmp_path / "page.html", tmp_path / "page.pdf"
    wide = element("p", "one " * 99 + "last", style="white-space:nowrap;width:9000px")
    file.write_text(re.sub(r"<meta http-equiv[^>]*>", "", plain_page("Wide", wide).decode()))
    window.open(file)
    window.page.pdf(path=paper, format="A4", margin=MARGIN)
    assert beyond(paper) or "last" not in "".join(read_sheets(paper))


# Long names break between lines, and what is read from right to left is mirrored.
PLAIN_WORDS = """() => ["h1", "body"].map(where =>
  document.querySelector(where).innerText.split(/\\s+/).filter(w => /^[\\w,.]{1,12}$/.test(w)))"""


MARGIN = PdfMargins(top="15mm", right="15mm", bottom="15mm", left="15mm")


def run_on(paper: Path, *options: str) -> str:
    done = subprocess.run(
        ["pdftotext", *options, paper, "-"], capture_output=True, text=True, check=True
    )
    return done.stdout


def read_sheets(paper: Path) -> list[str]:
    """Return the text of each printed page, as a reader selects it."""
    return run_on(paper).rstrip("\f").split("\f")


def beyond(paper: Path) -> list[str]:
    """Return the words that are not wholly on their page."""
    found: list[str] = []
    width = height = 0.0
    for line in run_on(paper, "-bbox").splitlines():
        numbers = [float(number) for number in re.findall(r'"(-?[\d.]+)"', line)]
        if "<page " in line:
            width, height = numbers
        elif "<word " in line:
            left, top, right, bottom = numbers
            if left < 0 or top < 0 or right > width or bottom > height:
                found.append(line)
    return found


LOOK = """() => ({
  width: document.documentElement.scrollWidth,
  ground: getComputedStyle(document.documentElement).backgroundColor,
  elements: [...document.querySelectorAll("img,script,b,iframe,object,form,a,[onerror]")]
    .map(one => one.outerHTML),
  smallest: Math.min(...[...document.querySelectorAll("p,td,th,li,code,text,dd,dt")]
    .map(one => parseFloat(getComputedStyle(one).fontSize))),
})"""


CONTRAST = {"runOnly": ["color-contrast"]}


def serious(page: Page, axe: str, options: dict[str, Any]) -> list[str]:
    """Return what keeps people from reading a page; contrast below 4.5 is among it."""
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(axe)
    found: dict[str, Any] = page.evaluate(
        "options => axe.run(document, {resultTypes: ['violations'], ...options})", options
    )
    return [
        f"{one['id']}: {node['html']} {node['failureSummary']}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


def test_what_people_could_not_read_and_what_a_page_asks_for_is_found(
    window: Window, axe: str, tmp_path: Path
) -> None:
    file = tmp_path / "page.html"
    faulty = plain_page(
        "A page",
        element(
            "main", element("p", "hardly to be seen", class_="pale"), element("svg", role="img")
        ),
        element("script", "document.title = 'it ran'"),
        element("img", src="https://elsewhere.example/x.png", alt=""),
        element("div", "w" * 2_000),
    ).decode()
    file.write_text(faulty)
    window.open(file)
    assert window.page.title() == "A page"  # the policy held both back
    assert len(window.said) == 2
    assert window.look("light", 390)["width"] > 390
    assert len(window.page.evaluate(LOOK)["elements"]) == 2
    # without its policy, so that the changed style counts
    file.write_text(re.sub(r"<meta http-equiv[^>]*>", "", faulty.replace("#21262c", "#cfcfcf")))
    window.open(file)
    found = " ".join(serious(window.page, axe, {}))
    assert "svg-img-alt" in found
    assert "color-contrast" in found
