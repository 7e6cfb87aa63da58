"""Stores that did not finish: payloads without observations, entities without any."""
