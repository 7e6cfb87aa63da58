"""Tests of the operations over many databases."""
