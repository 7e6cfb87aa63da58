"""Words for people and for shells: quoting, and what somebody may have meant.

Imports nothing of ours.
"""
