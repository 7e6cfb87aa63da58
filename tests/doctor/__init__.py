"""Tests of `midden doctor`."""
