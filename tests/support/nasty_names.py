"""Names that files and folders may have, and that some library or shell takes for more."""

import os
from typing import Final

NAMES: Final = {
    "latin-1": os.fsdecode(b"Z\xfcrich"),
    "no UTF-8": os.fsdecode(b"\xff\xed\xa0\x80"),
    "a class": "a[b]c",
    "half a class": "x]",
    "caret and pipe": "^x|y",
    "percent": "50%20%",
    "backslash": "back\\slash",
    "comma": "one,two",
    "question": "what?mode=memory",
    "hash": "a#b",
    "star": "a*b",
    "two stars": "**",
    "braces": "{a,b}{}",
    "tilde": "~",
    "quotes": 'it\'s "so"',
    "dash": "-rf",
    "spaces": "  sp  ",
    "line end": "new\nline\ttab\r",
    "escape": "\x1b[31m",
    "emoji": "\N{RAT}",
    "right to left": "a\u202eb\u200f",
    "long": "n" * 255,
    "scheme": "s3:",
    "file scheme": "file:x",
    "shell": "$HOME`id`;&!",
    "decomposed": "e\u0301",
    "dots": "...",
}
ALL_TEXT: Final = "-[b]^|%20\\,?#*{}~'\"\n\x1b \N{RAT}\u202e$; "
ALL_BYTES: Final = os.fsdecode(b" [\xff]%\xe9\\,\n?'")
