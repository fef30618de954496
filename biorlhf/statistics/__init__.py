"""Intervals, calibration and paired differences: pure functions of numbers."""
