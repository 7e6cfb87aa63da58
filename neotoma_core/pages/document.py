"""A page as one file: nothing is loaded, nothing runs, and a browser is held to that."""

import base64
import hashlib
from typing import Final

from neotoma_core.pages.elements import Node, element
from neotoma_core.pages.style import PAGE_STYLE

_HASH: Final = base64.b64encode(hashlib.sha256(PAGE_STYLE.encode()).digest()).decode()
POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; img-src data:; base-uri 'none'; "
    "form-action 'none'"
)
"""What a page may do, as a content security policy: have this one style, and nothing else."""


def page(title: str, *body: Node | None) -> bytes:
    """Return a page as a file."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", title),
        element("link", rel="icon", href="data:,"),
        element("style", PAGE_STYLE),
    )
    whole = element("html", head, element("body", *body), lang="en")
    return f"<!doctype html>\n{whole.markup()}\n".encode()
