"""Markup that is escaped by construction: there is no way to put text in that is not.

A page is a tree of elements; every text in it is written escaped, and what cannot be printed, such
as marks that turn the direction of writing, is spelled out.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Final

from neotoma_core.report.layout import escape_name

_VOID: Final = frozenset({"meta", "link", "br"})


@dataclass(frozen=True, slots=True)
class Element:
    """One element. Names of tags and attributes come from code, everything else may be anything."""

    tag: str
    attributes: tuple[tuple[str, str], ...]
    children: tuple["Node", ...]

    def markup(self) -> str:
        """Return the element as markup, which is HTML and, without void elements, XML too."""
        return "".join(self.parts())

    def parts(self) -> Iterator[str]:
        """Yield the markup in parts."""
        attributes = "".join(f' {name}="{escape(text)}"' for name, text in self.attributes)
        yield f"<{self.tag}{attributes}>"
        for child in self.children:
            if isinstance(child, Element):
                yield from child.parts()
            else:
                yield escape(escape_name(child), quote=False)
        if self.tag not in _VOID:
            yield f"</{self.tag}>"


Node = Element | str


def element(tag: str, *children: Node | None, **attributes: str | float | None) -> Element:
    """Return an element; children and attributes that are None are left out.

    ``class_`` is ``class``, and ``aria_label`` is ``aria-label``.
    """
    named = tuple(
        (name.rstrip("_").replace("_", "-"), escape_name(_text(value)))
        for name, value in attributes.items()
        if value is not None
    )
    return Element(tag, named, tuple(child for child in children if child is not None))


def outside(text: str) -> Element:
    """Return a name from outside, whose direction of writing does not reach what is around it."""
    return element("bdi", text)


def code(text: str) -> Element:
    """Return an id, a path or the name of a table."""
    return element("code", outside(text))


def _text(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:g}"
