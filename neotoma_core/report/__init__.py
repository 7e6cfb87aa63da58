"""What all reports share: layout, findings, progress, and reports that several operations show.

An operation's own report is ``<operation>/report.py``.
"""
