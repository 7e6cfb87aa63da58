"""Midden's library: find, merge, rebuild and prove Neotoma memory databases."""
