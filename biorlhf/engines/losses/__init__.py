"""Losses: pure functions of log-probabilities; one module a family."""
