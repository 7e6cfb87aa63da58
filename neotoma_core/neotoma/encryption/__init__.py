"""Neotoma's column encryption (format, section 6.8): what is sealed, with which key.

``columns`` opens and seals frames, ``key`` is the data key, ``secret`` keeps words out of sight.
``key`` loads a cryptographic library and is imported only where a key is at hand, ``columns`` one
for frames.
"""

from neotoma_core.neotoma.encryption.secret import Secret

__all__ = ["Secret"]
