"""Tests of the scheduled job."""
