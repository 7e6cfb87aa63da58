"""Databases of ordinary mess, against what the real Neotoma makes of them."""
