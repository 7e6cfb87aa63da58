"""Whatever text goes into a page comes out as that text, and as nothing else."""

import base64
import hashlib
import re
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neotoma_core.pages.document import POLICY, page
from neotoma_core.pages.elements import code, element, outside
from neotoma_core.report.layout import escape_name

NASTY = (
    "</code></bdi><script>alert(1)</script>",
    '" onload="alert(1)',
    "<!-- --><style>*{display:none}</style>",
    "&lt;b&gt;&amp;",
    "a\u202eb\u200f\u2066c",
    "\ud800 \x00 \x1b[31m \n",
    "]]>",
)


class Read(HTMLParser):
    """What a page says: its tags, with attributes, and its text."""

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("text", NASTY)
def test_markup_in_a_text_or_an_attribute_is_text(text: str) -> None:
    read = Read(element("p", code(text), title=text).markup())
    assert read.tags == [("p", {"title": escape_name(text)}), ("code", {}), ("bdi", {})]
    assert read.text == escape_name(text)


@given(st.text(alphabet=st.characters(codec=None, categories=None)))
def test_every_text_survives_and_makes_no_element(text: str) -> None:
    markup = element("p", text, title=text).markup()
    read = Read(markup)
    assert read.tags == [("p", {"title": escape_name(text)})]
    assert read.text == escape_name(text)
    assert (ET.fromstring(markup).text or "") == escape_name(text)  # noqa: S314 - markup of ours
    markup.encode()


def test_a_page_allows_nothing_but_its_own_style() -> None:
    whole = page("<title>", outside("\u202e")).decode()
    (style,) = re.findall(r"<style>(.*?)</style>", whole, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in POLICY
    assert "default-src 'none'" in POLICY
    assert "unsafe" not in POLICY
    assert "&lt;title&gt;" in whole
    read = Read(whole)
    assert not [tag for tag, _ in read.tags if tag == "script"]
    assert not [
        a for _, attributes in read.tags for a in attributes if a.startswith(("on", "style"))
    ]
    assert not re.search(r"https?:|url\(|@import", whole)
