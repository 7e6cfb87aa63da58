"""Stores that did not finish: payloads without observations, entities without any.

Neotoma writes a store in steps, not in one transaction: the source and its raw file, the entities,
then one observation after another (format, section 4.4). A crash between two steps leaves what the
steps before it wrote. A refused store and a plan (``commit: false``) leave the same, so what is
found here is worth a notice and proves nothing.

A payload is a source that a store made: its raw file holds the items sent, as JSON.
"""
