"""Neotoma's rules read row by row, for one entity at a time: the oracle for everything faster.

Pure.
"""
