"""Pages to look at: markup that is escaped by construction, one style, pictures, shared sections.

What an operation says on its page is ``<operation>/page.py``.
"""
