"""Tests of the timers of the system."""
